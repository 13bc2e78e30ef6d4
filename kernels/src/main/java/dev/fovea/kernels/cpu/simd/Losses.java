package dev.fovea.kernels.cpu.simd;

/** The loops of softmax and of the classification losses, over one row in {@code float[]}. */
public interface Losses {
  /** The largest value, NaN if there is one; -infinity for none. */
  float max(float[] x, int at, int count);

  /** {@code y = e^(x - max)}; returns the sum of y. y may be x at the same offset. */
  float expSum(float max, float[] x, int xAt, float[] y, int yAt, int count);

  /** The sum of {@code x - shift}. */
  float shiftedSum(float shift, float[] x, int at, int count);

  /** The sum of {@code t (x - shift)}; nothing is added where t is 0, whatever x. */
  float shiftedDot(float shift, float[] x, int xAt, float[] t, int tAt, int count);

  /** {@code x = a x + b}. */
  void affine(float a, float b, float[] x, int at, int count);

  /** {@code y = a y + b t + c}. */
  void combine(float a, float[] y, int yAt, float b, float[] t, int tAt, float c, int count);

  /** {@code e = e^-|x|} and {@code u = 1 + e}. */
  void expOfMagnitude(float[] x, int xAt, float[] e, int eAt, float[] u, int uAt, int count);

  /**
   * The sum of {@code log(1 + e^x) - t x}, the sigmoid cross-entropy. Takes what {@link #expOfMagnitude} left in e and
   * the logarithm of its u in logU; nothing is taken off where t is 0, whatever x. Sets {@code x = scale (sigmoid(x) -
   * t)}.
   */
  float sigmoidCrossEntropy(
      float scale, float[] x, int xAt, float[] t, int tAt, float[] e, int eAt, float[] logU, int logUAt, int count);
}
