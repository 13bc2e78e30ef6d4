package dev.fovea.vit.train;

import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.ops.Ops;

/** What training minimizes. */
public enum Loss {
  /** Cross-entropy of the softmax: one class is right. */
  SOFTMAX {
    @Override
    public Tensor of(Tensor logits, Tensor target, float smoothing) {
      return Ops.softmaxCrossEntropy(logits, target, smoothing);
    }
  },
  /** Cross-entropy of a sigmoid for each class, summed over classes (Scaling ViT, section 3). */
  SIGMOID {
    @Override
    public Tensor of(Tensor logits, Tensor target, float smoothing) {
      return Ops.sigmoidCrossEntropy(logits, target, smoothing);
    }
  };

  /**
   * The mean over rows.
   *
   * @param logits [rows, classes]
   * @param target labels, I32 [rows], negative where a row does not count; or probabilities, F32 [rows, classes]
   * @param smoothing share of the target spread evenly over all classes
   * @return a scalar
   */
  public abstract Tensor of(Tensor logits, Tensor target, float smoothing);
}
