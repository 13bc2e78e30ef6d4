package dev.fovea.kernels.cpu.simd;

/**
 * Arithmetic over ranges of {@code float[]}. A destination may be a source at the same offset. Products that are added
 * are fused; sums run in an order that depends on the count alone.
 */
public interface Arithmetic {
  /** {@code z = alpha x + beta y}, as {@code fma(alpha, x, beta y)}. */
  void combine(float alpha, float[] x, int xAt, float beta, float[] y, int yAt, float[] z, int zAt, int count);

  /** {@code z = alpha x}. */
  void scale(float alpha, float[] x, int xAt, float[] z, int zAt, int count);

  /** {@code z = x + y}. */
  void add(float[] x, int xAt, float[] y, int yAt, float[] z, int zAt, int count);

  /** {@code z = (alpha x) y}. */
  void multiply(float alpha, float[] x, int xAt, float[] y, int yAt, float[] z, int zAt, int count);

  /** {@code z += (alpha x) y}. */
  void multiplyAdd(float alpha, float[] x, int xAt, float[] y, int yAt, float[] z, int zAt, int count);

  /** {@code z = (alpha x) y + add}. */
  void multiplyAdd(
      float alpha, float[] x, int xAt, float[] y, int yAt, float[] add, int addAt, float[] z, int zAt, int count);

  /** The sum of x. */
  float sum(float[] x, int xAt, int count);

  /** The sum of (x - mean)^2. */
  float squaredDeviations(float mean, float[] x, int xAt, int count);

  /** {@code y = (x - mean) rstd weight + bias}. */
  void normalize(
      float mean,
      float rstd,
      float[] x,
      int xAt,
      float[] weight,
      int weightAt,
      float[] bias,
      int biasAt,
      float[] y,
      int yAt,
      int count);

  /**
   * The first pass of a norm's gradient over one group: {@code x = (x - mean) rstd}, {@code dWeight += dy x},
   * {@code dBias += dy}, {@code dy = dy weight}, and the sums of the new dy and of dy x to {@code sums[sumsAt]} and
   * {@code sums[sumsAt + 1]}. dWeight and dBias lie in one array.
   */
  void normGradientSums(
      float mean,
      float rstd,
      float[] x,
      int xAt,
      float[] dy,
      int dyAt,
      float[] weight,
      int weightAt,
      float[] dParameters,
      int dWeightAt,
      int dBiasAt,
      float[] sums,
      int sumsAt,
      int count);

  /** The second pass: {@code dx = (g - meanG - x meanGx) rstd + add}; dx may be any of the operands. */
  void normGradient(
      float meanG,
      float meanGx,
      float rstd,
      float[] x,
      int xAt,
      float[] g,
      int gAt,
      float[] add,
      int addAt,
      float[] dx,
      int dxAt,
      int count);
}
