package dev.fovea.vit.train;

import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Tensor;
import java.util.LinkedHashMap;
import java.util.Map;

/** A moving average of an objective's parameters, as such an objective (Polyak averaging; Scaling ViT, appendix D). */
final class Polyak implements AutoCloseable {
  private final Objective average;
  private final float decay;

  /** Starts from the parameters as they are. */
  Polyak(Objective objective, double decay) {
    if (!(decay > 0 && decay < 1)) {
      throw new IllegalArgumentException("polyak: got " + decay + ", expected a number between 0 and 1");
    }
    this.decay = (float) decay;
    Map<String, Tensor> copies = new LinkedHashMap<>();
    try (Scope scope = Scope.open(Evaluation.device(objective.model())).label("average")) {
      objective
          .parameters()
          .forEach((name, tensor) ->
              copies.put(name, Tensor.empty(tensor.shape(), tensor.dtype()).copyFrom(tensor)));
      average = objective.with(copies);
    }
  }

  Objective objective() {
    return average;
  }

  /** {@code average = decay average + (1 - decay) parameters}. */
  void add(Objective objective) {
    average.parameters().forEach((name, mean) -> {
      Tensor now = objective.parameters().get(name);
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
