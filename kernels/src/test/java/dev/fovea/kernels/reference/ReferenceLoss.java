package dev.fovea.kernels.reference;

import dev.fovea.kernels.LossKernels;
import dev.fovea.kernels.Span;
import org.jspecify.annotations.Nullable;

/** {@link LossKernels} in double precision. */
final class ReferenceLoss implements LossKernels {
  @Override
  public void softmax(long rows, int classes, Span x, Span y) {
    for (long r = 0; r < rows; r++) {
      double[] log = logSoftmax(row(x, r, classes));
      for (int c = 0; c < classes; c++) {
        Mat.set(y, r * classes + c, Math.exp(log[c]));
      }
    }
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
    double scale = gradient == null ? gradientScale : gradientScale * Mat.get(gradient, 0);
    for (long r = 0; r < rows; r++) {
      double[] log = logSoftmax(row(logits, r, classes));
      double[] t = target(r, classes, smoothing, labels, targets);
      boolean left = leftOut(r, labels);
      double loss = 0;
      double total = 0;
      for (int c = 0; c < classes; c++) {
        loss -= t[c] == 0 ? 0 : t[c] * log[c];
        total += t[c];
      }
      for (int c = 0; c < classes && dLogits != null; c++) {
        Mat.set(dLogits, r * classes + c, left ? 0 : scale * (Math.exp(log[c]) * total - t[c]));
      }
      if (losses != null) {
        Mat.set(losses, r, left ? 0 : loss);
      }
    }
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
    double scale = gradient == null ? gradientScale : gradientScale * Mat.get(gradient, 0);
    for (long r = 0; r < rows; r++) {
      double[] x = row(logits, r, classes);
      double[] t = target(r, classes, smoothing, labels, targets);
      boolean left = leftOut(r, labels);
      double loss = 0;
      for (int c = 0; c < classes; c++) {
        loss += t[c] * softplus(-x[c]) + (1 - t[c]) * softplus(x[c]);
      }
      for (int c = 0; c < classes && dLogits != null; c++) {
        Mat.set(dLogits, r * classes + c, left ? 0 : scale * (1 / (1 + Math.exp(-x[c])) - t[c]));
      }
      if (losses != null) {
        Mat.set(losses, r, left ? 0 : loss);
      }
    }
  }

  /** log(1 + e^x) = -log sigmoid(-x). */
  private static double softplus(double x) {
    return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
  }

  private static double[] row(Span span, long r, int classes) {
    double[] values = new double[classes];
    for (int c = 0; c < classes; c++) {
      values[c] = Mat.get(span, r * classes + c);
    }
    return values;
  }

  private static double[] logSoftmax(double[] x) {
    double max = Double.NEGATIVE_INFINITY;
    for (double v : x) {
      max = Math.max(max, v);
    }
    double sum = 0;
    for (double v : x) {
      sum += Math.exp(v - max);
    }
    double[] log = new double[x.length];
    for (int c = 0; c < x.length; c++) {
      log[c] = x[c] - max - Math.log(sum);
    }
    return log;
  }

  private static boolean leftOut(long r, @Nullable Span labels) {
    return labels != null && Mat.get(labels, r) < 0;
  }

  private static double[] target(long r, int classes, float smoothing, @Nullable Span labels, @Nullable Span targets) {
    double[] t = new double[classes];
    for (int c = 0; c < classes; c++) {
      double hard = labels != null && Mat.get(labels, r) == c ? 1 : 0;
      double target = targets == null ? hard : Mat.get(targets, r * classes + c);
      t[c] = (1.0 - smoothing) * target + (double) smoothing / classes;
    }
    return t;
  }
}
