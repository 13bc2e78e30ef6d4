package dev.fovea.kernels;

import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Optimizer steps, in place: of one parameter tensor, or of many of them together, which on a GPU take as few launches
 * as one.
 *
 * <p>Parameters and gradients are F32 or BF16; a BF16 parameter is rounded as {@link Rounding} says.
 * {@code gradientScale} is F32 [1] on the device, multiplied with the gradient as it is read
 * ({@link ReduceKernels#clipFactor}), or null for 1. No operand may overlap another. An element's update is within 16 u
 * of exact arithmetic on the moments as they are stored, relative to the magnitudes of the terms that are added; means
 * of squares are sums as in {@link ReduceKernels}.
 *
 * <p>A step of many tensors gives each of them the bits of a step of its own, with these hyper-parameters: the learning
 * rate is {@code learningRate rate} rounded to F32, the weight decay is the {@link Piece}'s, and the i-th tensor draws
 * its random bits with the key {@code seed + i}. No operand may overlap one of another tensor. What changes from step
 * to step is read from the device's memory where {@code now} is given: a launch that was recorded once computes another
 * step each time it is replayed.
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
  record AdamW(float learningRate, float beta1, float beta2, float eps, float weightDecay, long step) {
    /** {@code 1 / (1 - beta1^step)}, which makes the first moment a mean. */
    public float meanFactor() {
      return (float) (1 / (1 - Math.pow(beta1, step)));
    }

    /** {@code 1 / sqrt(1 - beta2^step)}, which makes the second moment's root one of a mean. */
    public float rootFactor() {
      return (float) (1 / Math.sqrt(1 - Math.pow(beta2, step)));
    }

    /** What changes from step to step. */
    public StepValues values(Rounding rounding) {
      return new StepValues(learningRate, meanFactor(), rootFactor(), rounding.step());
    }
  }

  /**
   * Hyper-parameters of Scaling ViT's Adafactor (section 3 of that paper): no relative step size, factored second
   * moment, first moment kept without bias correction.
   *
   * <p>A first moment in BF16 is multiplied in BF16 as well, {@code m = bf16(bf16(momentum) m) + (1 - momentum) u}: so
   * does JAX, and with it big_vision, where the paper's results come from.
   *
   * @param learningRate times the schedule
   * @param weightDecay decoupled, relative to the learning rate: {@code param *= 1 - learningRate weightDecay} before
   *     the step. The paper's, which the schedule multiplies but the learning rate does not, over the learning rate
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

    /** What changes from step to step. */
    public StepValues values(Rounding rounding) {
      return new StepValues(learningRate, beta2(), 0, rounding.step());
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
  record Sgd(float learningRate, float momentum, float weightDecay, boolean nesterov) {
    /** What changes from step to step. */
    public StepValues values(Rounding rounding) {
      return new StepValues(learningRate, 0, 0, rounding.step());
    }
  }

  /**
   * What changes from step to step, as the device reads it: in the place of the hyper-parameters' learning rate and
   * step and of the rounding's step. Made by {@code values} of the hyper-parameters.
   *
   * @param first AdamW: {@link AdamW#meanFactor}; Adafactor: {@link Adafactor#beta2}
   * @param second AdamW: {@link AdamW#rootFactor}
   * @param step of the random bits
   */
  record StepValues(float learningRate, float first, float second, long step) {
    /** Length of {@link #words}. */
    public static final int WORDS = 6;

    /** The memory's content: I32 [6], to lie at a multiple of 8 bytes. */
    public int[] words() {
      return new int[] {
        Float.floatToRawIntBits(learningRate),
        Float.floatToRawIntBits(first),
        Float.floatToRawIntBits(second),
        0,
        (int) step,
        (int) (step >>> 32)
      };
    }

    /** Of a memory's content. */
    public static StepValues of(int... words) {
      return new StepValues(
          Float.intBitsToFloat(words[0]),
          Float.intBitsToFloat(words[1]),
          Float.intBitsToFloat(words[2]),
          Integer.toUnsignedLong(words[4]) | (long) words[5] << 32);
    }
  }

  /**
   * One of the tensors that a step moves together; operands as in a step of its own.
   *
   * @param v second moment, null for {@link #sgd}
   * @param rate multiplies the learning rate
   * @param decay decoupled weight decay in place of the hyper-parameters' own: {@code param *= 1 - its learning rate x
   *     decay} before the step; also for {@link #sgd}, beside the hyper-parameters' coupled one
   * @param rounded BF16, like the parameter in count, which is F32 then: receives the parameter as it is after the
   *     step, to nearest even, whatever {@link Rounding} says; null for none
   */
  record Piece(
      Span param,
      Span gradient,
      Span m,
      @Nullable Span v,
      float rate,
      float decay,
      @Nullable Span rounded) {
    /** Without rounded parameter. */
    public Piece(Span param, Span gradient, Span m, @Nullable Span v, float rate, float decay) {
      this(param, gradient, m, v, rate, decay, null);
    }
  }

  /** As {@link Piece}, with a factored second moment. */
  record FactoredPiece(
      Factors factors,
      Span param,
      Span gradient,
      Span m,
      Span vRow,
      Span vColumn,
      float rate,
      float decay,
      @Nullable Span rounded) {
    /** Without rounded parameter. */
    public FactoredPiece(
        Factors factors, Span param, Span gradient, Span m, Span vRow, Span vColumn, float rate, float decay) {
      this(factors, param, gradient, m, vRow, vColumn, rate, decay, null);
    }
  }

  /**
   * One AdamW step.
   *
   * @param m first moment, F32 or BF16, like the parameter in count
   * @param v second moment, F32
   */
  default void adamW(
      AdamW h, Span param, Span gradient, @Nullable Span gradientScale, Span m, Span v, Rounding rounding) {
    Piece only = new Piece(param, gradient, m, v, 1, h.weightDecay());
    adamW(h, null, List.of(only), gradientScale, rounding);
  }

  /**
   * One Adafactor step with a factored second moment.
   *
   * <p>With {@code s = g^2 + eps}: {@code vRow} and {@code vColumn} move to the means of s by {@code v = beta2 v + (1 -
   * beta2) mean(s)}; {@code u = g / sqrt(vRow / mean(vRow)) / sqrt(vColumn)}; {@code m = momentum m + (1 - momentum)
   * u}; {@code param = (1 - learningRate weightDecay) param - learningRate m}.
   *
   * @param vRow F32 [batch, rows]: running mean over columns of the squared gradient
   * @param vColumn F32 [batch, columns]: running mean over rows
   * @param m first moment, F32 or BF16; the update uses it before rounding
   */
  default void adafactor(
      Adafactor h,
      Factors factors,
      Span param,
      Span gradient,
      @Nullable Span gradientScale,
      Span vRow,
      Span vColumn,
      Span m,
      Rounding rounding) {
    FactoredPiece only = new FactoredPiece(factors, param, gradient, m, vRow, vColumn, 1, h.weightDecay());
    adafactor(h, null, List.of(only), gradientScale, rounding);
  }

  /**
   * One Adafactor step of a tensor too small to factor: {@code u = g / sqrt(v)}, and {@code v} is F32, like the
   * parameter in count.
   */
  default void adafactorUnfactored(
      Adafactor h, Span param, Span gradient, @Nullable Span gradientScale, Span v, Span m, Rounding rounding) {
    Piece only = new Piece(param, gradient, m, v, 1, h.weightDecay());
    adafactorUnfactored(h, null, List.of(only), gradientScale, rounding);
  }

  /** One step of SGD with momentum; {@code m} is F32 or BF16, the update uses it before rounding. */
  default void sgd(Sgd h, Span param, Span gradient, @Nullable Span gradientScale, Span m, Rounding rounding) {
    sgd(h, null, List.of(new Piece(param, gradient, m, null, 1, 0)), gradientScale, rounding);
  }

  /**
   * One AdamW step of many tensors; one launch on a GPU for every 510 of them.
   *
   * @param now I32 [6] on the device, {@link StepValues#words}, in place of what {@code h} and {@code rounding} say of
   *     learning rate and step; null for these
   */
  void adamW(AdamW h, @Nullable Span now, List<Piece> pieces, @Nullable Span gradientScale, Rounding rounding);

  /**
   * One Adafactor step of many tensors with factored second moments; three launches on a GPU for every 255 of them.
   *
   * @param now as in {@link #adamW(AdamW, Span, List, Span, Rounding)}
   */
  void adafactor(
      Adafactor h, @Nullable Span now, List<FactoredPiece> pieces, @Nullable Span gradientScale, Rounding rounding);

  /**
   * One Adafactor step of many tensors too small to factor; one launch on a GPU for every 510 of them.
   *
   * @param now as in {@link #adamW(AdamW, Span, List, Span, Rounding)}
   */
  void adafactorUnfactored(
      Adafactor h, @Nullable Span now, List<Piece> pieces, @Nullable Span gradientScale, Rounding rounding);

  /**
   * One step of SGD with momentum of many tensors; one launch on a GPU for every 510 of them.
   *
   * @param now as in {@link #adamW(AdamW, Span, List, Span, Rounding)}
   */
  void sgd(Sgd h, @Nullable Span now, List<Piece> pieces, @Nullable Span gradientScale, Rounding rounding);
}
