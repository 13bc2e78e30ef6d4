package dev.fovea.vit.train;

import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Tensor;
import dev.fovea.vit.model.VisionTransformer;
import java.util.LinkedHashMap;
import java.util.Map;

/** A moving average of a model's parameters, as a model (Polyak averaging; Scaling ViT, appendix D). */
final class Polyak implements AutoCloseable {
  private final VisionTransformer average;
  private final float decay;

  /** Starts from the parameters as they are. */
  Polyak(VisionTransformer model, double decay) {
    if (!(decay > 0 && decay < 1)) {
      throw new IllegalArgumentException("polyak: got " + decay + ", expected a number between 0 and 1");
    }
    this.decay = (float) decay;
    Map<String, Tensor> copies = new LinkedHashMap<>();
    try (Scope scope = Scope.open(Evaluation.device(model)).label("average")) {
      model
          .parameters()
          .forEach((name, tensor) ->
              copies.put(name, Tensor.empty(tensor.shape(), tensor.dtype()).copyFrom(tensor)));
      average = new VisionTransformer(model.config(), copies);
    }
  }

  VisionTransformer model() {
    return average;
  }

  /** {@code average = decay average + (1 - decay) parameters}. */
  void add(VisionTransformer model) {
    average.parameters().forEach((name, mean) -> {
      Tensor now = model.parameters().get(name);
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
