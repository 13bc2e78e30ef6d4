package dev.fovea.kernels.cpu.simd;

import dev.fovea.kernels.Activation;

/**
 * What {@link Arithmetic} does, from native memory to native memory, all of it F32 or all of it BF16
 * ({@link Simd#streams}, {@link Simd#halfStreams}): out of cache, reads, arithmetic and writes overlap, as they do not
 * where operands are copied to arrays and back. Addresses are of the first element. Results have the bits that
 * {@link Arithmetic} of the same form gives, rounded if BF16, but for sums over a group, whose order is their own.
 *
 * <p>What a launch reads or adds up many times is in {@code float[]}, or for a norm's gradient in memory as floats, in
 * an order that suits the form: brought into it by {@link #arrange}, and back by {@link #restore}.
 */
public interface Streams {
  /** Whether rows that meet arrays, and the groups of a norm, may have this width; offsets must be such widths too. */
  boolean takes(int width);

  /** Brings values into the order that arrays have here; a width that {@link #takes} says yes to. */
  void arrange(float[] x, int at, int count);

  /** The way back from {@link #arrange}. */
  void restore(float[] x, int at, int count);

  /** {@code z = alpha x + beta y}. */
  void combine(float alpha, long x, float beta, long y, long z, int count);

  /** {@code z = alpha x}. */
  void scale(float alpha, long x, long z, int count);

  /** {@code z = x y}. */
  void multiply(long x, long y, long z, int count);

  /** {@code z = (alpha x) y + add}. */
  void multiplyAdd(float alpha, float[] x, int xAt, long y, long add, long z, int count);

  /** {@code y = f(x)}, with the bits of {@link Maths#activation}; y may be x. Fast for all but TANH. */
  void activation(Activation f, long x, long y, int count);

  /**
   * {@code dx = dy f'(x)}, with the bits of {@link Maths#activationGradient}; dx may be x or dy. Fast for all but TANH.
   */
  void activationGradient(Activation f, long x, long dy, long dx, int count);

  /** {@code y = silu(gate) x}, as {@link #activation} and a product. */
  void swiglu(long gate, long x, long y, int count);

  /**
   * {@code dGate = silu'(gate) (dy x)} and {@code dx = silu(gate) dy}; they may be gate and x. This silu is within two
   * roundings more than {@link #activation}: the gradients share a division.
   */
  void swigluGradient(long gate, long x, long dy, long dGate, long dx, int count);

  /** The sum of x. */
  float sum(long x, int count);

  /** The sum of (x - mean)^2. */
  float squaredDeviations(float mean, long x, int count);

  /** {@code y = (x - mean) rstd weight + bias}. */
  void normalize(float mean, float rstd, long x, float[] weight, float[] bias, long y, int count);

  /**
   * The first pass of a norm's gradient over one group, with {@code n = (x - mean) rstd}: the sums of g = {@code dy
   * weight} and of g n to {@code sums[0]} and {@code sums[1]}. Weights are floats in memory, in the order of arrays.
   */
  void normGradientSums(float mean, float rstd, long x, long dy, long weight, float[] sums, int count);

  /**
   * The second pass: {@code dWeight += dy n}, {@code dBias += dy}, floats in memory as weights are, and {@code dx = (g
   * - meanG - n meanGn) rstd + add}; dx may be any of the operands.
   *
   * @param addStep bytes from an element of add to the next; 0 where add is the same 64 bytes everywhere
   */
  void normGradient(
      float mean,
      float rstd,
      float meanG,
      float meanGn,
      long x,
      long dy,
      long weight,
      long dWeight,
      long dBias,
      long add,
      int addStep,
      long dx,
      int count);
}
