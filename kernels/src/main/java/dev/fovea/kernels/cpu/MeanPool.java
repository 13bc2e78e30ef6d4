package dev.fovea.kernels.cpu;

import dev.fovea.kernels.Span;
import dev.fovea.kernels.cpu.simd.Reductions;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** {@link dev.fovea.kernels.TokenKernels#meanPool}: a block sums a strip of one image's columns. */
final class MeanPool implements Grid {
  private static final int STRIP = 1024;

  private final Staging staging;
  private final Reductions reductions;
  private int tokens;
  private int width;
  private int first;
  private int strips;
  private Span x = Spans.NONE;
  private Span lengths = Spans.NONE;
  private Span out = Spans.NONE;

  MeanPool(Staging staging, Reductions reductions) {
    this.staging = staging;
    this.reductions = reductions;
  }

  void run(WorkerPool pool, int batch, int tokens, int width, int first, Span x, @Nullable Span lengths, Span out) {
    this.tokens = tokens;
    this.width = width;
    this.first = first;
    this.x = x;
    this.lengths = Spans.orNone(lengths);
    this.out = out;
    strips = (width + STRIP - 1) / STRIP;
    pool.run(this, Math.multiplyExact(batch, strips));
  }

  @Override
  public void block(int index, Scratch scratch) {
    int image = index / strips;
    int column = index % strips * STRIP;
    int count = Math.min(STRIP, width - column);
    int end = lengths.count() > 0 ? Indices.i32(lengths, image) : tokens;
    float[] values = scratch.floats(0, STRIP);
    float[] sums = scratch.floats(1, STRIP);
    Arrays.fill(sums, 0, count, 0f);
    int rows = strips == 1 ? STRIP / width : 1;
    for (int token = first; token < end; token += rows) {
      int n = Math.min(rows, end - token);
      staging.load(x, ((long) image * tokens + token) * width + column, values, 0, n * count);
      reductions.columnSums(values, 0, n, count, sums, 0);
    }
    float scale = 1f / (end - first);
    for (int i = 0; i < count; i++) {
      sums[i] *= scale;
    }
    staging.store(sums, 0, out, (long) image * width + column, count);
  }
}
