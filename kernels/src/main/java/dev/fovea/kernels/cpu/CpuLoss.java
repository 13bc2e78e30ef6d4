package dev.fovea.kernels.cpu;

import static dev.fovea.kernels.cpu.simd.Memory.ALL;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.fovea.kernels.LossKernels;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.cpu.simd.Simd;
import org.jspecify.annotations.Nullable;

/** Losses on CPU. */
final class CpuLoss implements LossKernels {
  private final WorkerPool pool;
  private final Recycler<Softmax> softmaxes;
  private final Recycler<SoftmaxCrossEntropy> softmaxCrossEntropies;
  private final Recycler<SigmoidCrossEntropy> sigmoidCrossEntropies;

  CpuLoss(WorkerPool pool, Simd simd) {
    this.pool = pool;
    Staging staging = new Staging(simd.convert());
    softmaxes = new Recycler<>(() -> new Softmax(staging, simd.losses()));
    softmaxCrossEntropies = new Recycler<>(() -> new SoftmaxCrossEntropy(staging, simd.losses()));
    sigmoidCrossEntropies = new Recycler<>(() -> new SigmoidCrossEntropy(staging, simd.losses(), simd.maths()));
  }

  @Override
  public void softmax(long rows, int classes, Span x, Span y) {
    Softmax launch = softmaxes.take();
    launch.run(pool, rows, classes, x, y);
    softmaxes.give(launch);
  }

  @Override
  public void softmaxCrossEntropy(
      long rows,
      int classes,
      float smoothing,
      float gradientScale,
      @Nullable Span gradient,
      Span logits,
      @Nullable Span labels,
      @Nullable Span targets,
      @Nullable Span losses,
      @Nullable Span dLogits) {
    checkLabels(labels, rows, classes);
    SoftmaxCrossEntropy launch = softmaxCrossEntropies.take();
    launch.run(
        pool, rows, classes, smoothing, scale(gradientScale, gradient), logits, labels, targets, losses, dLogits);
    softmaxCrossEntropies.give(launch);
  }

  @Override
  public void sigmoidCrossEntropy(
      long rows,
      int classes,
      float smoothing,
      float gradientScale,
      @Nullable Span gradient,
      Span logits,
      @Nullable Span labels,
      @Nullable Span targets,
      @Nullable Span losses,
      @Nullable Span dLogits) {
    checkLabels(labels, rows, classes);
    SigmoidCrossEntropy launch = sigmoidCrossEntropies.take();
    launch.run(
        pool, rows, classes, smoothing, scale(gradientScale, gradient), logits, labels, targets, losses, dLogits);
    sigmoidCrossEntropies.give(launch);
  }

  private static float scale(float gradientScale, @Nullable Span gradient) {
    return gradient == null ? gradientScale : gradientScale * ALL.get(JAVA_FLOAT, gradient.address());
  }

  private static void checkLabels(@Nullable Span labels, long rows, int classes) {
    if (labels == null) {
      return;
    }
    for (long row = 0; row < rows; row++) {
      long label = Indices.integer(labels, row);
      if (label >= classes) {
        throw new IllegalArgumentException(
            "labels: got %d in row %d, expected below %d".formatted(label, row, classes));
      }
    }
  }
}
