package dev.fovea.vit.train;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import dev.fovea.vit.data.Batch;
import dev.fovea.vit.model.ParameterShapes;
import dev.fovea.vit.model.VisionTransformer;
import dev.fovea.vit.model.VitConfig;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;

/** Names what has grown out of bounds. */
final class Largest {
  private static final int NAMED = 3;

  private Largest() {}

  /** The largest activations between blocks that a batch causes, and the largest parameters. */
  static String describe(VisionTransformer model, Batch batch) {
    Map<String, Double> parameters = new LinkedHashMap<>();
    Map<String, Double> activations = new LinkedHashMap<>();
    try (Scope scope = Scope.open(Evaluation.device(model))) {
      model.parameters().forEach((name, tensor) -> parameters.put(name, magnitude(tensor)));
      for (int depth = 1; depth <= model.config().depth(); depth++) {
        try (Scope inside = Scope.open();
            VisionTransformer part = part(model, depth)) {
          activations.put(
              "after block " + (depth - 1),
              magnitude(part.forward(Evaluation.pixels(model, batch)).features()));
        }
      }
    }
    return "the largest activations are %s; the largest parameters are %s"
        .formatted(named(activations), named(parameters));
  }

  /** The first blocks of a model, on the same parameters: its features are what the last of them puts out. */
  private static VisionTransformer part(VisionTransformer model, int depth) {
    VitConfig config = model.config().toBuilder().depth(depth).finalNorm(null).build();
    Map<String, Tensor> views = new LinkedHashMap<>();
    ParameterShapes.of(config)
        .forEach((name, shape) ->
            views.put(name, Objects.requireNonNull(model.parameters().get(name)).reshape(shape)));
    return new VisionTransformer(config, views);
  }

  private static double magnitude(Tensor tensor) {
    try (Scope scope = Scope.open()) {
      Tensor largest = Tensor.empty(Shape.of(1), DType.F32);
      tensor.device().kernels().reduce().maxAbs(tensor.span(), largest.span());
      return largest.item();
    }
  }

  /** The largest few, those that are not finite first. */
  private static String named(Map<String, Double> magnitudes) {
    return magnitudes.entrySet().stream()
        .sorted(Comparator.comparingDouble(
                (Map.Entry<String, Double> e) -> Double.isNaN(e.getValue()) ? Double.POSITIVE_INFINITY : e.getValue())
            .reversed())
        .limit(NAMED)
        .map(e -> "%s (%.3g)".formatted(e.getKey(), e.getValue()))
        .collect(Collectors.joining(", "));
  }
}
