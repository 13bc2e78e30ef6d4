package dev.fovea.vit.train;

import dev.fovea.tensor.Tensor;

/**
 * A moving average in F32 of an objective's parameters, as such an objective (Polyak averaging; Scaling ViT, appendix
 * D).
 */
final class Polyak implements AutoCloseable {
  private final MixedPrecision average;
  private final float decay;

  /** Starts from the parameters as they are. */
  Polyak(MixedPrecision trained, double decay) {
    if (!(decay > 0 && decay < 1)) {
      throw new IllegalArgumentException("polyak: got " + decay + ", expected a number between 0 and 1");
    }
    this.decay = (float) decay;
    average = trained.copy("average");
  }

  MixedPrecision average() {
    return average;
  }

  /** {@code average = decay average + (1 - decay) parameters}. */
  void add(Objective kept) {
    average.kept().parameters().forEach((name, mean) -> {
      Tensor now = kept.parameters().get(name);
      if (now != null) {
        mean.device().kernels().elementwise().combine(decay, mean.span(), 1 - decay, now.span(), mean.span());
      }
    });
  }

  @Override
  public void close() {
    average.close();
  }
}
