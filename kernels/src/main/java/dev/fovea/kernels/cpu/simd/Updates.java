package dev.fovea.kernels.cpu.simd;

/**
 * Optimizer steps, in place, over F32 in native memory: each operand goes through the processor once, which is what
 * bounds them out of cache. Addresses are of the first element. Both forms run the same operations in the same order,
 * so that they give the same bits. {@code scale} multiplies the gradient g first.
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
      long p,
      long g,
      long m,
      long v,
      int count,
      float scale,
      float beta1,
      float beta2,
      float eps,
      float shrink,
      float rate,
      float rootScale);

  /**
   * Adafactor without factors: {@code v = beta2 v + (1 - beta2)(g^2 + eps); m = kept m + fresh g / sqrt(v); p = shrink
   * p - rate m}.
   */
  void adafactor(
      long p,
      long g,
      long m,
      long v,
      int count,
      float scale,
      float beta2,
      float eps,
      float kept,
      float fresh,
      float shrink,
      float rate);

  /** Adafactor with factors: {@code m = kept m + fresh (g scale columns[i]); p = shrink p - rate m}. */
  void factored(
      long p,
      long g,
      long m,
      int count,
      float scale,
      float[] columns,
      int columnsAt,
      float kept,
      float fresh,
      float shrink,
      float rate);

  /**
   * As {@link #factored} with m in BF16: {@code m = bf16(momentum m) + fresh (g scale columns[i])}, rounded after use.
   */
  void factoredHalf(
      long p,
      long g,
      long m,
      int count,
      float scale,
      float[] columns,
      int columnsAt,
      float momentum,
      float fresh,
      float shrink,
      float rate);

  /**
   * {@code d = g + coupled p; m = momentum m + d; p = shrink p - rate m}, or {@code p = shrink p - rate (d + momentum
   * m)} with Nesterov's momentum.
   */
  void momentum(
      long p,
      long g,
      long m,
      int count,
      float scale,
      float momentum,
      float coupled,
      float shrink,
      float rate,
      boolean nesterov);

  /** {@code m = factor m}, the product rounded to BF16. */
  void multiplyBf16(long m, int count, float factor);

  /**
   * Adds squares {@code (scale g[i])^2} to {@code sums[sumsAt + i]}, and leaves sums of four of them, from 64
   * neighbours each, and what is left over, in {@code few}.
   *
   * @return how many there are in {@code few}: about a quarter
   */
  int addSquares(long g, int count, float scale, float[] sums, int sumsAt, float[] few);

  /** {@code x[i] = 1 / sqrt(x[i])}. */
  void reciprocalRoots(float[] x, int at, int count);
}
