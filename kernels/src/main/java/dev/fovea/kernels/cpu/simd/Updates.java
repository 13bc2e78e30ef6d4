package dev.fovea.kernels.cpu.simd;

/**
 * Optimizer steps over ranges of {@code float[]} that all begin at the same offset, in place. Both forms run the same
 * operations in the same order, so that they give the same bits. {@code scale} multiplies the gradient first.
 */
public interface Updates {
  /**
   * {@code m += (1 - beta1)(g - m); v = beta2 v + (1 - beta2) g^2; p = shrink p - rate m / (sqrt(v) rootScale + eps)}.
   *
   * @param shrink 1 - learning rate times weight decay
   * @param rate learning rate / (1 - beta1^step)
   * @param rootScale 1 / sqrt(1 - beta2^step)
   */
  void adamW(
      float[] p,
      float[] g,
      float[] m,
      float[] v,
      int at,
      int count,
      float scale,
      float beta1,
      float beta2,
      float eps,
      float shrink,
      float rate,
      float rootScale);

  /**
   * {@code g = g / sqrt(v)} with {@code v = beta2 v + (1 - beta2)(g^2 + eps)}: the update of Adafactor that is not
   * factored.
   */
  void normalized(float[] g, float[] v, int at, int count, float scale, float beta2, float eps);

  /** {@code g = g row columns[i]}: the update of Adafactor that is factored. */
  void factored(float[] g, int at, int count, float scale, float row, float[] columns, int columnsAt);

  /** {@code m = kept m + fresh g; p = shrink p - rate m}. */
  void average(float[] p, float[] g, float[] m, int at, int count, float kept, float fresh, float shrink, float rate);

  /** {@code m = factor m}, the product rounded to BF16. */
  void multiplyBf16(float[] m, int at, int count, float factor);

  /**
   * {@code d = g + decay p; m = momentum m + d; p -= rate m}, or {@code p -= rate (d + momentum m)} with Nesterov's
   * momentum.
   */
  void momentum(
      float[] p,
      float[] g,
      float[] m,
      int at,
      int count,
      float scale,
      float momentum,
      float decay,
      float rate,
      boolean nesterov);

  /** {@code to[i] = (scale g[i])^2}. */
  void squares(float[] g, int at, int count, float scale, float[] to);

  /** {@code x[i] = 1 / sqrt(x[i])}. */
  void reciprocalRoots(float[] x, int at, int count);
}
