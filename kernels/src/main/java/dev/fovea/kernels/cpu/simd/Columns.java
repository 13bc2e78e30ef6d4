package dev.fovea.kernels.cpu.simd;

/**
 * Loops down the columns of a strip: {@code rows} rows of {@link Tiles#columns} floats, of which the first
 * {@code width} are worked on. {@code width} is all of them or the left half, as in {@link Tiles}, so every column has
 * a vector lane of its own and nothing is ever reduced across lanes. Operands with one value per column hold
 * {@code width} floats.
 */
public interface Columns {
  /** {@code max[j] = max(max[j], x[.][j])}; of a column with a NaN, anything. */
  void max(float[] x, int at, int rows, int width, float[] max, int maxAt);

  /** {@code x[i][j] = exp(x[i][j] - shift[j])}, and {@code sum[j]} gains the sum of column j. */
  void exp(float[] x, int at, int rows, int width, float[] shift, int shiftAt, float[] sum, int sumAt);

  /** {@code x[i][j] *= factor[j]}. */
  void scale(float[] x, int at, int rows, int width, float[] factor, int factorAt);

  /** {@code dot[j]} = sum over i of {@code a[i][j] b[i][j]}. */
  void dot(float[] a, int aAt, float[] b, int bAt, int rows, int width, float[] dot, int dotAt);

  /**
   * The gradient of a softmax whose values are rebuilt from its logits: {@code p = exp(p - lse[j])}, then {@code d = p
   * (d - dot[j])}.
   */
  void softmaxGradient(
      float[] p, int pAt, float[] d, int dAt, int rows, int width, float[] lse, int lseAt, float[] dot, int dotAt);
}
