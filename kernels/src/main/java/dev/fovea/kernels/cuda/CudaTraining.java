package dev.fovea.kernels.cuda;

import dev.fovea.kernels.LossKernels;
import dev.fovea.kernels.OptimizerKernels;
import dev.fovea.kernels.Span;
import org.jspecify.annotations.Nullable;

/** What training needs and GPUs have no kernels for yet: each says so by its name. */
final class CudaTraining implements LossKernels, OptimizerKernels {
  private final CudaQueue queue;

  CudaTraining(CudaQueue queue) {
    this.queue = queue;
  }

  @Override
  public void softmax(long rows, int classes, Span x, Span y) {
    throw queue.notYet("softmax");
  }

  @Override
  public void softmaxCrossEntropy(
      long rows,
      int classes,
      float smoothing,
      float gradientScale,
      Span logits,
      @Nullable Span labels,
      @Nullable Span targets,
      @Nullable Span losses,
      @Nullable Span dLogits) {
    throw queue.notYet("softmax cross-entropy");
  }

  @Override
  public void sigmoidCrossEntropy(
      long rows,
      int classes,
      float smoothing,
      float gradientScale,
      Span logits,
      @Nullable Span labels,
      @Nullable Span targets,
      @Nullable Span losses,
      @Nullable Span dLogits) {
    throw queue.notYet("sigmoid cross-entropy");
  }

  @Override
  public void adamW(
      AdamW h, Span param, Span gradient, @Nullable Span gradientScale, Span m, Span v, Rounding rounding) {
    throw queue.notYet("AdamW");
  }

  @Override
  public void adafactor(
      Adafactor h,
      Factors factors,
      Span param,
      Span gradient,
      @Nullable Span gradientScale,
      Span vRow,
      Span vColumn,
      Span m,
      Rounding rounding) {
    throw queue.notYet("Adafactor");
  }

  @Override
  public void adafactorUnfactored(
      Adafactor h, Span param, Span gradient, @Nullable Span gradientScale, Span v, Span m, Rounding rounding) {
    throw queue.notYet("Adafactor");
  }

  @Override
  public void sgd(Sgd h, Span param, Span gradient, @Nullable Span gradientScale, Span m, Rounding rounding) {
    throw queue.notYet("SGD");
  }
}
