package dev.fovea.kernels;

import org.jspecify.annotations.Nullable;

/**
 * Optimizer steps for one parameter tensor, in place.
 *
 * <p>Parameters and gradients are F32 or BF16; a BF16 parameter is rounded as {@link Rounding} says.
 * {@code gradientScale} is F32 [1] on the device, multiplied with the gradient as it is read
 * ({@link ReduceKernels#clipFactor}), or null for 1. No operand may overlap another. An element's update is within 16 u
 * of exact arithmetic on the moments as they are stored, relative to the magnitudes of the terms that are added; means
 * of squares are sums as in {@link ReduceKernels}.
 */
public interface OptimizerKernels {
  /** These kernels behind the checks of their arguments. */
  static OptimizerKernels checked(OptimizerKernels kernels) {
    return new CheckedOptimizer(kernels);
  }

  /**
   * How a BF16 parameter is stored; an F32 parameter ignores it.
   *
   * @param stochastic as {@link ElementwiseKernels#castStochastic}, else round to nearest even
   * @param seed the key of the random bits
   * @param step the step of the random bits
   */
  record Rounding(boolean stochastic, long seed, long step) {
    /** Round to nearest, ties to even. */
    public static final Rounding NEAREST = new Rounding(false, 0, 0);
  }

  /**
   * Hyper-parameters of AdamW (Loshchilov and Hutter), as PyTorch applies them.
   *
   * @param weightDecay decoupled: {@code param *= 1 - learningRate weightDecay} before the step
   * @param step counted from 1, for the bias corrections
   */
  record AdamW(float learningRate, float beta1, float beta2, float eps, float weightDecay, long step) {}

  /**
   * Hyper-parameters of Scaling ViT's Adafactor (section 3 of that paper): no relative step size, factored second
   * moment, first moment kept without bias correction.
   *
   * <p>A first moment in BF16 is multiplied in BF16 as well, {@code m = bf16(bf16(momentum) m) + (1 - momentum) u}: so
   * does JAX, and with it big_vision, where the paper's results come from.
   *
   * @param learningRate times the schedule
   * @param weightDecay times the schedule, not multiplied by the learning rate: {@code param -= learningRate update +
   *     weightDecay param}
   * @param momentum beta1, 0.9 in the paper
   * @param decayRate exponent of the second moment's decay {@code 1 - step^-decayRate}, 0.8
   * @param beta2Cap its upper bound, 0.999
   * @param eps added to the squared gradient, 1e-30
   * @param step counted from 1
   */
  record Adafactor(
      float learningRate, float weightDecay, float momentum, float decayRate, float beta2Cap, float eps, long step) {
    /** The second moment's decay at this step. */
    public float beta2() {
      return (float) Math.min(beta2Cap, 1 - Math.pow(step, -decayRate));
    }
  }

  /**
   * A parameter seen as {@code batch} matrices of [rows, columns]: element (b, r, c) stands at {@code b * batchStride +
   * r * rowStride + c}, no two at the same place. A fused weight is factored per part and per head this way. Elements
   * outside of the matrices are left alone.
   */
  record Factors(int batch, int rows, int columns, long batchStride, long rowStride) {
    /** A plain matrix. */
    public static Factors matrix(int rows, int columns) {
      return new Factors(1, rows, columns, (long) rows * columns, columns);
    }
  }

  /**
   * Hyper-parameters of SGD with momentum: with {@code d = g + weightDecay param}, {@code m = momentum m + d; param -=
   * learningRate m}, as PyTorch applies them.
   *
   * @param nesterov {@code param -= learningRate (d + momentum m)} instead
   */
  record Sgd(float learningRate, float momentum, float weightDecay, boolean nesterov) {}

  /**
   * One AdamW step.
   *
   * @param m first moment, F32 or BF16, like the parameter in count
   * @param v second moment, F32
   */
  void adamW(AdamW h, Span param, Span gradient, @Nullable Span gradientScale, Span m, Span v, Rounding rounding);

  /**
   * One Adafactor step with a factored second moment.
   *
   * <p>With {@code s = g^2 + eps}: {@code vRow} and {@code vColumn} move to the means of s by {@code v = beta2 v + (1 -
   * beta2) mean(s)}; {@code u = g / sqrt(vRow / mean(vRow)) / sqrt(vColumn)}; {@code m = momentum m + (1 - momentum)
   * u}; {@code param -= learningRate m + weightDecay param}.
   *
   * @param vRow F32 [batch, rows]: running mean over columns of the squared gradient
   * @param vColumn F32 [batch, columns]: running mean over rows
   * @param m first moment, F32 or BF16; the update uses it before rounding
   */
  void adafactor(
      Adafactor h,
      Factors factors,
      Span param,
      Span gradient,
      @Nullable Span gradientScale,
      Span vRow,
      Span vColumn,
      Span m,
      Rounding rounding);

  /**
   * One Adafactor step of a tensor too small to factor: {@code u = g / sqrt(v)}, and {@code v} is F32, like the
   * parameter in count.
   */
  void adafactorUnfactored(
      Adafactor h, Span param, Span gradient, @Nullable Span gradientScale, Span v, Span m, Rounding rounding);

  /** One step of SGD with momentum; {@code m} is F32 or BF16, the update uses it before rounding. */
  void sgd(Sgd h, Span param, Span gradient, @Nullable Span gradientScale, Span m, Rounding rounding);
}
