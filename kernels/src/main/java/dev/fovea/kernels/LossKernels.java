package dev.fovea.kernels;

import org.jspecify.annotations.Nullable;

/** Classification losses, with their gradient in the same pass. */
public interface LossKernels {
  /**
   * {@code y = softmax(x)} over rows, of finite values and -inf; y may be x.
   *
   * @param x [rows, classes]
   */
  void softmax(long rows, int classes, Span x, Span y);

  /**
   * Softmax cross-entropy: {@code loss[r] = -sum_c t[r,c] log softmax(logits)[r,c]} and {@code dLogits = gradientScale
   * gradient (softmax * sum_c t - t)}.
   *
   * <p>{@code t} is {@code (1 - smoothing) target + smoothing / classes}. Give either labels or soft targets.
   *
   * @param gradient F32 [1], what came back to the loss; null for 1. It stays on the device
   * @param logits [rows, classes]
   * @param labels I32 or I64 [rows], each in [0, classes); a row with a negative label has loss and gradient 0. Too
   *     large a label is an error where labels lie in host memory; elsewhere its row becomes NaN
   * @param targets F32 [rows, classes]
   * @param losses F32 [rows] or null
   * @param dLogits [rows, classes], may be logits; or null
   */
  void softmaxCrossEntropy(
      long rows,
      int classes,
      float smoothing,
      float gradientScale,
      @Nullable Span gradient,
      Span logits,
      @Nullable Span labels,
      @Nullable Span targets,
      @Nullable Span losses,
      @Nullable Span dLogits);

  /**
   * Sigmoid cross-entropy, summed over classes (Scaling ViT, section 3): {@code loss[r] = -sum_c t log sigmoid(x) + (1
   * - t) log sigmoid(-x)} and {@code dLogits = gradientScale gradient (sigmoid(x) - t)}. Operands as in
   * {@link #softmaxCrossEntropy}, labels meaning one-hot targets.
   */
  void sigmoidCrossEntropy(
      long rows,
      int classes,
      float smoothing,
      float gradientScale,
      @Nullable Span gradient,
      Span logits,
      @Nullable Span labels,
      @Nullable Span targets,
      @Nullable Span losses,
      @Nullable Span dLogits);

  /** These kernels behind the checks that every device needs. */
  static LossKernels checked(LossKernels kernels) {
    return new CheckedLoss(kernels);
  }
}
