package dev.fovea.vit.model;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * Stochastic depth of one residual branch: in training it is left out for some images, and scaled up for the others.
 *
 * @param keep the chance that it stays
 * @param branch its number among those of the model
 */
record Drop(float keep, int branch) {
  /** Of branch {@code index} of a block, whose branches are numbered from 0. */
  static Drop of(VitConfig config, int block, int index) {
    return new Drop(1 - config.dropPathOf(block), block * 2 * config.branches() + index);
  }

  /** 0 or 1 / keep for each image, or null if all stay: element = image, the branch counts in the step's high word. */
  @Nullable
  Tensor factors(Pass pass) {
    Training training = pass.training();
    if (training == null || keep == 1) {
      return null;
    }
    Tensor factors = Tensor.empty(Shape.of(pass.batch()), DType.F32);
    factors
        .device()
        .kernels()
        .random()
        .keep(factors.span(), keep, training.seed(), training.step() + ((long) branch << 32));
    return factors;
  }
}
