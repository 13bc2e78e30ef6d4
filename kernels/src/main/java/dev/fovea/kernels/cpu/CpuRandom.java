package dev.fovea.kernels.cpu;

import static dev.fovea.kernels.cpu.simd.Memory.ALL;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.fovea.kernels.RandomKernels;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.cpu.simd.Philox;
import dev.fovea.kernels.cpu.simd.Simd;
import java.lang.foreign.MemorySegment;

/** Random numbers on CPU: the words of a chunk, then what is made of them. */
final class CpuRandom implements RandomKernels {
  private final WorkerPool pool;
  private final Recycler<Draw> draws;

  CpuRandom(WorkerPool pool, Simd simd) {
    this.pool = pool;
    Staging staging = new Staging(simd.convert());
    draws = new Recycler<>(() -> new Draw(simd.philox(), staging));
  }

  private enum Kind {
    BITS,
    UNIFORM,
    NORMAL,
    KEEP
  }

  @Override
  public void bits(Span out, long seed, long step) {
    draw(Kind.BITS, out, 0, 0, seed, step);
  }

  @Override
  public void uniform(Span out, float low, float high, long seed, long step) {
    draw(Kind.UNIFORM, out, low, high, seed, step);
  }

  @Override
  public void normal(Span out, float mean, float deviation, long seed, long step) {
    draw(Kind.NORMAL, out, mean, deviation, seed, step);
  }

  @Override
  public void keep(Span out, float keep, long seed, long step) {
    draw(Kind.KEEP, out, keep, 1 / keep, seed, step);
  }

  private void draw(Kind kind, Span out, float a, float b, long seed, long step) {
    Draw draw = draws.take();
    draw.run(pool, kind, out, a, b, seed, step);
    draws.give(draw);
  }

  private static final class Draw extends Chunks {
    private final Philox philox;
    private final Staging staging;
    private Kind kind = Kind.BITS;
    private Span out = Spans.NONE;
    private float a;
    private float b;
    private long seed;
    private long step;

    Draw(Philox philox, Staging staging) {
      this.philox = philox;
      this.staging = staging;
    }

    void run(WorkerPool pool, Kind kind, Span out, float a, float b, long seed, long step) {
      this.kind = kind;
      this.out = out;
      this.a = a;
      this.b = b;
      this.seed = seed;
      this.step = step;
      run(pool, out.count());
    }

    @Override
    void chunk(long first, int count, Scratch scratch) {
      int[] words = scratch.ints(0, CHUNK);
      philox.words(seed, step, first, words, 0, count + (count & 1)); // Box-Muller takes pairs
      if (kind == Kind.BITS) {
        MemorySegment.copy(words, 0, ALL, JAVA_INT, out.address() + 4 * first, count);
        return;
      }
      float[] values = scratch.floats(0, CHUNK);
      switch (kind) {
        case UNIFORM -> philox.uniform(words, a, b, Math.nextDown(b), values, count);
        case NORMAL -> philox.normal(words, a, b, values, count);
        default -> philox.keep(words, a, b, values, count);
      }
      staging.store(values, 0, out, first, count);
    }
  }
}
