package dev.fovea.kernels;

import org.jspecify.annotations.Nullable;

/** {@link LossKernels} that check their arguments first. */
record CheckedLoss(LossKernels kernels) implements LossKernels {
  @Override
  public void softmax(long rows, int classes, Span x, Span y) {
    long count = checkSizes(rows, classes);
    Check.vector("x", x, count);
    Check.vector("y", y, count);
    checkInPlace("y", y, "x", x);
    kernels.softmax(rows, classes, x, y);
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
    check(rows, classes, smoothing, gradient, logits, labels, targets, losses, dLogits);
    kernels.softmaxCrossEntropy(
        rows, classes, smoothing, gradientScale, gradient, logits, labels, targets, losses, dLogits);
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
    check(rows, classes, smoothing, gradient, logits, labels, targets, losses, dLogits);
    kernels.sigmoidCrossEntropy(
        rows, classes, smoothing, gradientScale, gradient, logits, labels, targets, losses, dLogits);
  }

  private static void check(
      long rows,
      int classes,
      float smoothing,
      @Nullable Span gradient,
      Span logits,
      @Nullable Span labels,
      @Nullable Span targets,
      @Nullable Span losses,
      @Nullable Span dLogits) {
    long count = checkSizes(rows, classes);
    Check.range("smoothing", smoothing, 0, 1);
    Check.optionalTyped("gradient", gradient, DType.F32, 1);
    Check.vector("logits", logits, count);
    if ((labels == null) == (targets == null)) {
      throw new IllegalArgumentException(
          "labels, targets: got %s, expected one of them".formatted(labels == null ? "neither" : "both"));
    }
    if (labels != null) {
      if (labels.dtype() != DType.I32 && labels.dtype() != DType.I64) {
        throw new IllegalArgumentException("labels: got %s, expected I32 or I64".formatted(labels.dtype()));
      }
      Check.holds("labels", labels, rows);
    }
    Check.optionalTyped("targets", targets, DType.F32, count);
    Check.optionalTyped("losses", losses, DType.F32, rows);
    Check.optional("dLogits", dLogits, count);
    Check.apart("losses", losses, "gradient", gradient);
    Check.apart("dLogits", dLogits, "gradient", gradient);
    Check.apart("losses", losses, "logits", logits);
    Check.apart("losses", losses, "labels", labels);
    Check.apart("losses", losses, "targets", targets);
    Check.apart("dLogits", dLogits, "labels", labels);
    Check.apart("dLogits", dLogits, "targets", targets);
    Check.apart("dLogits", dLogits, "losses", losses);
    if (dLogits != null) {
      checkInPlace("dLogits", dLogits, "logits", logits);
    }
  }

  private static long checkSizes(long rows, int classes) {
    Check.positive("rows", rows);
    Check.positive("classes", classes);
    return Math.multiplyExact(rows, classes);
  }

  /** The same elements, or no byte in common. */
  private static void checkInPlace(String name, Span span, String otherName, Span other) {
    if (span.address() != other.address() || span.dtype() != other.dtype()) {
      Check.apart(name, span, otherName, other);
    }
  }
}
