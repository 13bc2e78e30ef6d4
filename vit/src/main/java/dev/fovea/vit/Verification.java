package dev.fovea.vit;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.Device;
import dev.fovea.tensor.Gradients;
import dev.fovea.tensor.Recompute;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.io.TensorFile;
import dev.fovea.tensor.ops.Ops;
import dev.fovea.vit.model.VisionTransformer.Output;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * Compares a model with what another implementation computed from the same weights: tokens, pooled representations,
 * logits, the loss and every parameter's gradient.
 *
 * <p>The input holds {@code pixel_values} [batch, channels, height, width], and {@code labels} [batch] where there is a
 * loss. What is expected has the names {@code features} or {@code last_hidden_state}, {@code pre_logits} or
 * {@code pooler_output}, {@code logits}, {@code loss} (mean cross-entropy), and {@code grad.NAME} with the model file's
 * own name of a parameter.
 */
public final class Verification {
  private static final String GRADIENT = "grad.";

  /** Part of the largest gradient that counts as the scale of those below: some are zero but for rounding. */
  private static final double LEAST_GRADIENT = 1e-2;

  private Verification() {}

  /**
   * One tensor, compared.
   *
   * @param name as in the expected file
   * @param problem why it could not be compared; empty if it was
   * @param error largest difference of two elements
   * @param relative the same, divided by the largest expected magnitude (for a gradient at least a hundredth of the
   *     largest in all gradients)
   */
  public record Result(String name, String problem, double error, double relative) {
    /** Whether it was compared and is as near as this. */
    public boolean within(double tolerance) {
      return problem.isEmpty() && relative <= tolerance;
    }
  }

  /** A tensor's shape and elements, outliving it. */
  static final class Values {
    final Shape shape;
    final float[] elements;

    private Values(Shape shape, float[] elements) {
      this.shape = shape;
      this.elements = elements;
    }

    static Values of(Tensor tensor) {
      return new Values(tensor.shape(), tensor.toFloats());
    }

    double magnitude() {
      double largest = 0;
      for (float element : elements) {
        largest = Math.max(largest, Math.abs(element));
      }
      return largest;
    }
  }

  /**
   * Runs the model and compares every tensor of {@code expected}, in the order of their names.
   *
   * @throws IllegalArgumentException if the input has no {@code pixel_values}, or they do not fit the model
   */
  public static List<Result> run(Vit vit, TensorFile input, TensorFile expected) throws IOException {
    Map<String, Values> wanted = new TreeMap<>();
    double largest = 0;
    try (Scope scope = Scope.open()) {
      for (String name : expected.names()) {
        try (Tensor tensor = expected.load(name, DType.F32)) {
          wanted.put(name, Values.of(tensor));
        }
      }
    }
    boolean training = false;
    for (Map.Entry<String, Values> entry : wanted.entrySet()) {
      boolean gradient = entry.getKey().startsWith(GRADIENT);
      training |= gradient || entry.getKey().equals("loss");
      largest = gradient ? Math.max(largest, entry.getValue().magnitude()) : largest;
    }
    Map<String, Values> found = outputs(vit, input, training ? Recompute.SELECTIVE : null);
    double least = LEAST_GRADIENT * largest;
    return wanted.entrySet().stream()
        .map(e ->
            compare(e.getKey(), e.getValue(), found.get(e.getKey()), e.getKey().startsWith(GRADIENT) ? least : 0))
        .toList();
  }

  /**
   * What the model computes, by every name it may be expected under.
   *
   * @param policy of the tape; null for no loss and no gradients
   */
  static Map<String, Values> outputs(Vit vit, TensorFile input, @Nullable Recompute policy) throws IOException {
    Map<String, Values> found = new HashMap<>();
    if (!input.names().contains("pixel_values")) {
      throw new IllegalArgumentException(input + ": got no pixel_values, expected them");
    }
    Device device = vit.model().parameters().values().iterator().next().device();
    try (Scope scope = Scope.open(device)) {
      Tensor pixels = input.load("pixel_values", DType.F32);
      if (policy == null || vit.config().classes() == 0 || !input.names().contains("labels")) {
        put(found, vit.forward(pixels));
      } else {
        Tensor labels = input.load("labels");
        try (Tape tape = Tape.record(policy)) {
          train(vit, pixels, labels, tape, found);
        }
      }
    }
    return found;
  }

  private static void train(Vit vit, Tensor pixels, Tensor labels, Tape tape, Map<String, Values> found) {
    Map<String, Tensor> parameters = vit.model().parameters();
    parameters.values().forEach(Tensor::trainable);
    Output output = vit.forward(pixels);
    put(found, output);
    Tensor loss = Ops.softmaxCrossEntropy(Objects.requireNonNull(output.logits()), labels, 0);
    found.put("loss", Values.of(loss));
    try (Gradients gradients = tape.backward(loss)) {
      Map<String, Tensor> ours = new HashMap<>();
      parameters.forEach((name, parameter) -> {
        Tensor gradient = gradients.of(parameter);
        if (gradient != null) {
          ours.put(name, gradient);
        }
      });
      vit.weights().split(ours).forEach((name, gradient) -> found.put(GRADIENT + name, Values.of(gradient)));
    }
  }

  static void put(Map<String, Values> found, Output output) {
    Values features = Values.of(output.features());
    found.put("features", features);
    found.put("last_hidden_state", features);
    Values pooled = Values.of(output.preLogits());
    found.put("pre_logits", pooled);
    found.put("pooler_output", pooled);
    // Without a classifier, what timm gives out last is the pooled representation.
    found.put("logits", output.logits() == null ? pooled : Values.of(output.logits()));
  }

  static Result compare(String name, Values expected, @Nullable Values found, double leastScale) {
    if (found == null) {
      return new Result(name, "missing", Double.NaN, Double.NaN);
    }
    boolean single = expected.shape.count() == 1 && found.shape.count() == 1;
    if (!single && !expected.shape.equals(found.shape)) {
      return new Result(name, "is %s, expected %s".formatted(found.shape, expected.shape), Double.NaN, Double.NaN);
    }
    double error = 0;
    for (int i = 0; i < expected.elements.length; i++) {
      double difference = Math.abs((double) expected.elements[i] - found.elements[i]);
      // Not a number is as wrong as can be, and must not get lost in a comparison.
      error = Double.isNaN(difference) ? Double.POSITIVE_INFINITY : Math.max(error, difference);
    }
    double scale = Math.max(expected.magnitude(), leastScale);
    return new Result(name, "", error, error == 0 ? 0 : error / scale);
  }
}
