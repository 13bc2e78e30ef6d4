package dev.fovea.vit.train;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.Span;
import dev.fovea.tensor.Device;
import dev.fovea.tensor.Gradients;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Moves parameters against their gradients. Owns its state, one set of tensors for each parameter; parameters remain
 * the caller's.
 */
public abstract sealed class Optimizer implements AutoCloseable permits AdamW, Adafactor, Sgd {
  private final List<Parameter> parameters;
  private final Map<Tensor, Rule> rules = new IdentityHashMap<>();
  private final Map<String, Tensor> state = new LinkedHashMap<>();
  private final Scope scope;

  /** How one parameter moves. */
  interface Rule {
    /**
     * One step.
     *
     * @param gradientScale F32 [1], multiplies the gradient; null for 1
     * @param learningRate of this parameter
     * @param step from 1
     */
    void update(Span gradient, @Nullable Span gradientScale, double learningRate, long step);
  }

  Optimizer(List<Parameter> parameters) {
    if (parameters.isEmpty()) {
      throw new IllegalArgumentException("parameters: got none, expected at least one to train");
    }
    this.parameters = List.copyOf(parameters);
    scope = Scope.unbound(parameters.getFirst().value().device());
  }

  /** Makes the state of every parameter; to be called at the end of a subclass's constructor. */
  final void begin() {
    try (Scope making = Scope.open(scope.device()).label("optimizer")) {
      for (Parameter parameter : parameters) {
        rules.put(parameter.value(), rule(parameter));
      }
    }
  }

  /** The rule of a parameter, with state made by {@link #zeros}. */
  abstract Rule rule(Parameter parameter);

  /** A tensor of state, stored as {@code kind.name}. */
  final Tensor zeros(String kind, Parameter parameter, DType dtype, Shape shape) {
    Tensor made = scope.adopt(Tensor.zeros(shape, dtype));
    state.put(kind + "." + parameter.name(), made);
    return made;
  }

  final Device device() {
    return scope.device();
  }

  /** What is trained, in a fixed order. */
  public final List<Parameter> parameters() {
    return parameters;
  }

  /** All state by name, for checkpoints. */
  public final Map<String, Tensor> state() {
    return Collections.unmodifiableMap(state);
  }

  /**
   * One step of every parameter that has a gradient.
   *
   * @param gradientScale F32 of one element, multiplies the gradients ({@link GlobalNorm#clipFactor}); null for 1
   * @param learningRate before parameters' own factors
   * @param step from 1
   */
  public final void step(Gradients gradients, @Nullable Tensor gradientScale, double learningRate, long step) {
    for (Parameter parameter : parameters) {
      Tensor gradient = gradients.of(parameter.value());
      if (gradient != null) {
        update(parameter, gradient, gradientScale, learningRate, step);
      }
    }
  }

  /** One step of one parameter, as soon as its gradient is there. */
  public final void step(Parameter parameter, Tensor gradient, double learningRate, long step) {
    update(parameter, gradient, null, learningRate, step);
  }

  private void update(
      Parameter parameter, Tensor gradient, @Nullable Tensor gradientScale, double learningRate, long step) {
    Rule rule = rules.get(parameter.value());
    if (rule == null) {
      throw new IllegalArgumentException("parameter: got " + parameter.name() + ", expected one of this optimizer's");
    }
    rule.update(
        gradient.span(), gradientScale == null ? null : gradientScale.span(), learningRate * parameter.rate(), step);
  }

  /** Frees the state. */
  @Override
  public final void close() {
    scope.close();
  }
}
