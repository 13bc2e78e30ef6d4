package dev.fovea.vit.train;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import dev.fovea.vit.data.Batch;
import dev.fovea.vit.model.VisionTransformer;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;

/** Names what has grown out of bounds. */
final class Largest {
  private static final int NAMED = 3;

  private Largest() {}

  /** The largest activations that a batch causes, and the largest parameters. */
  static String activations(VisionTransformer model, Batch batch) {
    Map<String, Double> parameters = new LinkedHashMap<>();
    try (Scope scope = Scope.open(Evaluation.device(model))) {
      model.parameters().forEach((name, tensor) -> parameters.put(name, magnitude(tensor)));
      var output = model.forward(Evaluation.pixels(model, batch));
      return "the largest parameters are %s; the features reach %.3g"
          .formatted(named(parameters), magnitude(output.features()));
    }
  }

  private static double magnitude(Tensor tensor) {
    try (Scope scope = Scope.open()) {
      Tensor largest = Tensor.empty(Shape.of(1), DType.F32);
      tensor.device().kernels().reduce().maxAbs(tensor.span(), largest.span());
      return largest.item();
    }
  }

  private static String named(Map<String, Double> magnitudes) {
    return magnitudes.entrySet().stream()
        .sorted(Comparator.comparingDouble(
                (Map.Entry<String, Double> e) -> Double.isFinite(e.getValue()) ? e.getValue() : Double.MAX_VALUE)
            .reversed())
        .limit(NAMED)
        .map(e -> "%s %.3g".formatted(e.getKey(), e.getValue()))
        .collect(Collectors.joining(", "));
  }
}
