package dev.fovea.kernels.cpu;

import dev.fovea.kernels.Span;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** {@link dev.fovea.kernels.TokenKernels#meanPoolGradient}: a block fills a strip of one image's columns. */
final class MeanPoolGradient implements Grid {
  private static final int STRIP = 1024;

  private final Staging staging;
  private int tokens;
  private int width;
  private int first;
  private int strips;
  private Span dOut = Spans.NONE;
  private Span lengths = Spans.NONE;
  private Span dx = Spans.NONE;

  MeanPoolGradient(Staging staging) {
    this.staging = staging;
  }

  void run(WorkerPool pool, int batch, int tokens, int width, int first, Span dOut, @Nullable Span lengths, Span dx) {
    this.tokens = tokens;
    this.width = width;
    this.first = first;
    this.dOut = dOut;
    this.lengths = Spans.orNone(lengths);
    this.dx = dx;
    strips = (width + STRIP - 1) / STRIP;
    pool.run(this, Math.multiplyExact(batch, strips));
  }

  @Override
  public void block(int index, Scratch scratch) {
    int image = index / strips;
    int column = index % strips * STRIP;
    int count = Math.min(STRIP, width - column);
    int end = lengths.count() > 0 ? Indices.i32(lengths, image) : tokens;
    float[] zeros = scratch.floats(0, STRIP);
    float[] values = scratch.floats(1, STRIP);
    Arrays.fill(zeros, 0, count, 0f);
    staging.load(dOut, (long) image * width + column, values, 0, count);
    float scale = 1f / (end - first);
    for (int i = 0; i < count; i++) {
      values[i] *= scale;
    }
    for (int token = 0; token < tokens; token++) {
      float[] row = token >= first && token < end ? values : zeros;
      staging.store(row, 0, dx, ((long) image * tokens + token) * width + column, count);
    }
  }
}
