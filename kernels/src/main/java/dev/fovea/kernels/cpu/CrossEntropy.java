package dev.fovea.kernels.cpu;

import static dev.fovea.kernels.cpu.simd.Memory.ALL;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.fovea.kernels.Span;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** What the two cross-entropies share: a block takes some rows, each by itself. */
abstract class CrossEntropy implements Grid {
  static final int LOGITS = 0;
  static final int TARGETS = 1;

  final Staging staging;
  int classes;
  float smoothing;
  float gradientScale;
  private long rows;
  private Span logits = Spans.NONE;
  private Span labels = Spans.NONE;
  private Span targets = Spans.NONE;
  private Span losses = Spans.NONE;
  private Span dLogits = Spans.NONE;

  CrossEntropy(Staging staging) {
    this.staging = staging;
  }

  final void run(
      WorkerPool pool,
      long rows,
      int classes,
      float smoothing,
      float gradientScale,
      Span logits,
      @Nullable Span labels,
      @Nullable Span targets,
      @Nullable Span losses,
      @Nullable Span dLogits) {
    this.rows = rows;
    this.classes = classes;
    this.smoothing = smoothing;
    this.gradientScale = gradientScale;
    this.logits = logits;
    this.labels = Spans.orNone(labels);
    this.targets = Spans.orNone(targets);
    this.losses = Spans.orNone(losses);
    this.dLogits = Spans.orNone(dLogits);
    pool.run(this, Softmax.blocks(rows, classes));
  }

  @Override
  public final void block(int index, Scratch scratch) {
    long end = Math.min(rows, (index + 1) * Softmax.rowsPerBlock(classes));
    for (long row = index * Softmax.rowsPerBlock(classes); row < end; row++) {
      row(row, scratch);
    }
  }

  private void row(long row, Scratch scratch) {
    float[] x = scratch.floats(LOGITS, classes);
    float loss = 0;
    long label = labels.count() == 0 ? 0 : Indices.integer(labels, row);
    if (label < 0) {
      Arrays.fill(x, 0, classes, 0f);
    } else {
      staging.load(logits, row * classes, x, 0, classes);
      if (targets.count() > 0) {
        float[] t = scratch.floats(TARGETS, classes);
        staging.load(targets, row * classes, t, 0, classes);
        loss = soft(x, t, scratch);
      } else {
        loss = hard(x, (int) label, scratch);
      }
    }
    if (losses.count() > 0) {
      ALL.set(JAVA_FLOAT, losses.address() + 4 * row, loss);
    }
    if (dLogits.count() > 0) {
      staging.store(x, 0, dLogits, row * classes, classes);
    }
  }

  /** The loss against one label; leaves the gradient in x. */
  abstract float hard(float[] x, int label, Scratch scratch);

  /** The loss against soft targets, which it may overwrite; leaves the gradient in x. */
  abstract float soft(float[] x, float[] t, Scratch scratch);
}
