package dev.fovea.vit.train;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.OptimizerKernels;
import dev.fovea.kernels.OptimizerKernels.Rounding;
import dev.fovea.kernels.Span;
import dev.fovea.tensor.Device;
import dev.fovea.tensor.Gradients;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Moves parameters against their gradients. Owns its state, one set of tensors for each parameter; parameters remain
 * the caller's. BF16 parameters that are moved themselves are rounded stochastically: to either neighbour, and to the
 * new value on average, so that steps too small for BF16 add up. What is drawn is a function of seed, step and place.
 */
public abstract sealed class Optimizer implements AutoCloseable permits AdamW, Adafactor, Sgd {
  private final List<Parameter> parameters;
  private final long seed;
  private final Map<Tensor, Rule> rules = new IdentityHashMap<>();
  private final Map<String, Tensor> state = new LinkedHashMap<>();
  private final Scope scope;

  /** What a step does to one parameter; made once, with the parameter's state. */
  interface Rule {
    /** The number of its first piece among those of all parameters that one launch moves. */
    int number();
  }

  /**
   * A parameter that moves at this step.
   *
   * @param gradient as large as the parameter
   */
  record Moving(Parameter parameter, Rule rule, Span gradient) {
    float rate() {
      return (float) parameter.rate();
    }

    float decay() {
      return (float) parameter.decay();
    }

    Span value() {
      return parameter.moved().span();
    }

    /** What receives the rounding of what is moved; null where that computes itself. */
    @Nullable
    Span rounded() {
      return parameter.master() == null ? null : parameter.value().span();
    }
  }

  /**
   * When a step is, in terms of the schedule.
   *
   * @param now the step's {@link #values} in the device's memory, or null to take rate and number from here
   * @param gradientScale F32 [1], multiplies gradients; null for 1
   */
  record When(
      double learningRate,
      long step,
      @Nullable Span now,
      @Nullable Span gradientScale) {}

  Optimizer(List<Parameter> parameters, long seed) {
    if (parameters.isEmpty()) {
      throw new IllegalArgumentException("parameters: got none, expected at least one to train");
    }
    this.parameters = List.copyOf(parameters);
    this.seed = seed;
    scope = Scope.unbound(parameters.getFirst().value().device());
  }

  /** Makes the state of every parameter; to be called at the end of a subclass's constructor. */
  final void begin() {
    try (Scope making = Scope.open(scope.device()).label("optimizer")) {
      for (Parameter parameter : parameters) {
        rules.put(parameter.value(), rule(parameter, rules.size()));
      }
    }
  }

  /** The rule of the n-th parameter, with state made by {@link #zeros}. */
  abstract Rule rule(Parameter parameter, int n);

  /** One step of some parameters, all in as few launches as one. */
  abstract void move(List<Moving> moving, When when);

  /** What a step reads that differs from step to step. */
  abstract OptimizerKernels.StepValues valuesAt(double learningRate, long step);

  /** A tensor of state, stored as {@code kind.name}. */
  final Tensor zeros(String kind, Parameter parameter, DType dtype, Shape shape) {
    Tensor made = scope.adopt(Tensor.zeros(shape, dtype));
    state.put(kind + "." + parameter.name(), made);
    return made;
  }

  /** The number of the first of these that move. */
  static int first(List<Moving> moving) {
    return moving.isEmpty() ? 0 : moving.getFirst().rule.number();
  }

  /**
   * How pieces from a number on are rounded: alone they draw what they draw among all.
   *
   * @param number of the first of them
   */
  final Rounding rounding(long number, long step) {
    return new Rounding(true, seed + number, step);
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
    move(moving(gradients), new When(learningRate, step, null, span(gradientScale)));
  }

  /**
   * One step as the other, whose rate and number are read from the device's memory when it runs: recorded once, it can
   * be replayed as any step.
   *
   * @param values I32 [6], which holds {@link #values} by then
   */
  public final void step(Gradients gradients, @Nullable Tensor gradientScale, Tensor values) {
    move(moving(gradients), new When(0, 1, values.span(), span(gradientScale)));
  }

  /**
   * What a step reads of the schedule: the content of the tensor that {@link #step(Gradients, Tensor, Tensor)} takes.
   *
   * @param learningRate before parameters' own factors
   * @param step from 1
   */
  public final int[] values(double learningRate, long step) {
    return valuesAt(learningRate, step).words();
  }

  private List<Moving> moving(Gradients gradients) {
    List<Moving> moving = new ArrayList<>(parameters.size());
    for (Parameter parameter : parameters) {
      Tensor gradient = gradients.of(parameter.value());
      if (gradient != null) {
        moving.add(moving(parameter, gradient));
      }
    }
    return moving;
  }

  /** One step of one parameter, as soon as its gradient is there. */
  public final void step(Parameter parameter, Tensor gradient, double learningRate, long step) {
    move(List.of(moving(parameter, gradient)), new When(learningRate, step, null, null));
  }

  private Moving moving(Parameter parameter, Tensor gradient) {
    Rule rule = rules.get(parameter.value());
    if (rule == null) {
      throw new IllegalArgumentException("parameter: got " + parameter.name() + ", expected one of this optimizer's");
    }
    return new Moving(parameter, rule, gradient.span());
  }

  private static @Nullable Span span(@Nullable Tensor tensor) {
    return tensor == null ? null : tensor.span();
  }

  /** Frees the state. */
  @Override
  public final void close() {
    scope.close();
  }
}
