package dev.fovea.kernels.cpu.simd;

/** Pointwise loops and sums over stretches of {@code float[]}, as epilogues and normalisations use them on rows. */
public interface Rows {
  /** {@code x *= factor}. */
  void scale(float[] x, int at, int count, float factor);

  /** {@code x += y}. */
  void add(float[] x, int at, float[] y, int yAt, int count);

  /** {@code x *= y}. */
  void multiply(float[] x, int at, float[] y, int yAt, int count);

  /** {@code x = (x - mean) * factor * weight}. */
  void normalize(float[] x, int at, int count, float mean, float factor, float[] weight, int weightAt);

  /** The sum of x. */
  float sum(float[] x, int at, int count);

  /** The sum of {@code (x - mean)^2}. */
  float sumOfSquares(float[] x, int at, int count, float mean);
}
