package dev.fovea.kernels.cpu;

import static dev.fovea.kernels.cpu.simd.Memory.ALL;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.cpu.simd.Convert;
import dev.fovea.kernels.cpu.simd.Philox;
import dev.fovea.kernels.cpu.simd.Simd;

/**
 * The casts of {@link dev.fovea.kernels.ElementwiseKernels} on CPU: every one through F32, which holds what is needed.
 */
final class CpuCasts {
  private final WorkerPool pool;
  private final Recycler<Cast> casts;
  private final Recycler<Stochastic> stochastic;

  CpuCasts(WorkerPool pool, Simd simd) {
    this.pool = pool;
    casts = new Recycler<>(() -> new Cast(simd.convert()));
    stochastic = new Recycler<>(() -> new Stochastic(simd.convert(), simd.philox()));
  }

  void cast(Span x, Span y) {
    Cast cast = casts.take();
    cast.run(pool, x, y);
    casts.give(cast);
  }

  void castStochastic(Span x, Span y, long seed, long step) {
    Stochastic cast = stochastic.take();
    cast.run(pool, x, y, seed, step);
    stochastic.give(cast);
  }

  private static final class Cast extends Chunks {
    private final Convert convert;
    private Span x = Spans.NONE;
    private Span y = Spans.NONE;

    Cast(Convert convert) {
      this.convert = convert;
    }

    void run(WorkerPool pool, Span x, Span y) {
      this.x = x;
      this.y = y;
      run(pool, x.count());
    }

    @Override
    void chunk(long first, int count, Scratch scratch) {
      if (x.dtype() == y.dtype()) {
        Spans.copy(x, first, y, first, count);
        return;
      }
      long from = x.address() + x.dtype().bytes() * first;
      long to = y.address() + y.dtype().bytes() * first;
      if (x.dtype() == DType.F32 && y.dtype() == DType.BF16) {
        convert.narrowBf16(from, to, count);
      } else if (x.dtype() == DType.BF16 && y.dtype() == DType.F32) {
        convert.widenBf16(from, to, count);
      } else {
        float[] values = scratch.floats(0, CHUNK);
        load(from, values, count);
        store(values, to, count);
      }
    }

    private void load(long address, float[] to, int count) {
      switch (x.dtype()) {
        case F32 -> convert.loadF32(address, to, 0, count);
        case BF16 -> convert.loadBf16(address, to, 0, count);
        case F16 -> convert.loadF16(address, to, 0, count);
        case F64 -> loadF64(address, to, count, y.dtype() != DType.F32);
        case I32 -> convert.loadI32(address, to, 0, count);
        case I64 -> convert.loadI64(address, to, 0, count);
        case U8 -> convert.loadU8(address, to, 0, count);
      }
    }

    private void store(float[] from, long address, int count) {
      switch (y.dtype()) {
        case F32 -> convert.storeF32(from, 0, address, count);
        case BF16 -> convert.storeBf16(from, 0, address, count);
        case F16 -> convert.storeF16(from, 0, address, count);
        case F64 -> {
          for (int i = 0; i < count; i++) {
            ALL.set(JAVA_DOUBLE, address + 8L * i, from[i]);
          }
        }
        case I32, I64, U8 -> throw new IllegalArgumentException("y: got " + y.dtype() + ", expected a floating dtype");
      }
    }

    private static void loadF64(long address, float[] to, int count, boolean roundedAgain) {
      for (int i = 0; i < count; i++) {
        double value = ALL.get(JAVA_DOUBLE, address + 8L * i);
        to[i] = roundedAgain ? toOdd(value) : (float) value;
      }
    }

    /**
     * Towards zero, the last bit set if anything was cut off: what is rounded again from here is rounded as if once.
     */
    private static float toOdd(double value) {
      float nearest = (float) value;
      if (nearest == value || Double.isNaN(value)) {
        return nearest;
      }
      int bits = Float.floatToRawIntBits(nearest);
      return Float.intBitsToFloat((Math.abs((double) nearest) > Math.abs(value) ? bits - 1 : bits) | 1);
    }
  }

  private static final class Stochastic extends Chunks {
    private final Convert convert;
    private final Philox philox;
    private Span x = Spans.NONE;
    private Span y = Spans.NONE;
    private long seed;
    private long step;

    Stochastic(Convert convert, Philox philox) {
      this.convert = convert;
      this.philox = philox;
    }

    void run(WorkerPool pool, Span x, Span y, long seed, long step) {
      this.x = x;
      this.y = y;
      this.seed = seed;
      this.step = step;
      run(pool, x.count());
    }

    @Override
    void chunk(long first, int count, Scratch scratch) {
      int[] words = scratch.ints(0, CHUNK);
      philox.words(seed, step, first, words, 0, count);
      convert.narrowBf16Stochastic(x.address() + 4 * first, words, y.address() + 2 * first, count);
    }
  }
}
