package dev.fovea.kernels.cpu.simd;

import static dev.fovea.kernels.cpu.simd.Memory.ALL;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

/** {@link Updates} in plain Java. */
final class ScalarUpdates implements Updates {
  @Override
  public void adamW(
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
      float rootScale) {
    for (long i = 0; i < 4L * count; i += 4) {
      float gradient = ALL.get(JAVA_FLOAT, g + i) * scale;
      float old = ALL.get(JAVA_FLOAT, m + i);
      float mean = Math.fma(1 - beta1, gradient - old, old);
      float square = Math.fma((1 - beta2) * gradient, gradient, beta2 * ALL.get(JAVA_FLOAT, v + i));
      float step = mean / Math.fma((float) Math.sqrt(square), rootScale, eps);
      ALL.set(JAVA_FLOAT, m + i, mean);
      ALL.set(JAVA_FLOAT, v + i, square);
      ALL.set(JAVA_FLOAT, p + i, Math.fma(-rate, step, shrink * ALL.get(JAVA_FLOAT, p + i)));
    }
  }

  @Override
  public void adafactor(
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
      float rate) {
    for (long i = 0; i < 4L * count; i += 4) {
      float gradient = ALL.get(JAVA_FLOAT, g + i) * scale;
      float square = Math.fma(gradient, gradient, eps);
      square = Math.fma(1 - beta2, square, beta2 * ALL.get(JAVA_FLOAT, v + i));
      float update = gradient / (float) Math.sqrt(square);
      float mean = Math.fma(fresh, update, kept * ALL.get(JAVA_FLOAT, m + i));
      ALL.set(JAVA_FLOAT, v + i, square);
      ALL.set(JAVA_FLOAT, m + i, mean);
      ALL.set(JAVA_FLOAT, p + i, Math.fma(-rate, mean, shrink * ALL.get(JAVA_FLOAT, p + i)));
    }
  }

  @Override
  public void factored(
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
      float rate) {
    for (int c = 0; c < count; c++) {
      long i = 4L * c;
      float update = ALL.get(JAVA_FLOAT, g + i) * scale * columns[columnsAt + c];
      float mean = Math.fma(fresh, update, kept * ALL.get(JAVA_FLOAT, m + i));
      ALL.set(JAVA_FLOAT, m + i, mean);
      ALL.set(JAVA_FLOAT, p + i, Math.fma(-rate, mean, shrink * ALL.get(JAVA_FLOAT, p + i)));
    }
  }

  @Override
  public void factoredHalf(
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
      float rate) {
    for (int c = 0; c < count; c++) {
      long i = 4L * c;
      long half = m + 2L * c;
      float update = ALL.get(JAVA_FLOAT, g + i) * scale * columns[columnsAt + c];
      float old = Float.intBitsToFloat(ALL.get(JAVA_SHORT, half) << 16) * momentum;
      float mean = Math.fma(fresh, update, Float.intBitsToFloat(ScalarConvert.bf16(old) << 16));
      ALL.set(JAVA_SHORT, half, ScalarConvert.bf16(mean));
      ALL.set(JAVA_FLOAT, p + i, Math.fma(-rate, mean, shrink * ALL.get(JAVA_FLOAT, p + i)));
    }
  }

  @Override
  public void momentum(
      long p,
      long g,
      long m,
      int count,
      float scale,
      float momentum,
      float coupled,
      float shrink,
      float rate,
      boolean nesterov) {
    for (long i = 0; i < 4L * count; i += 4) {
      float old = ALL.get(JAVA_FLOAT, p + i);
      float d = Math.fma(coupled, old, ALL.get(JAVA_FLOAT, g + i) * scale);
      float moving = Math.fma(momentum, ALL.get(JAVA_FLOAT, m + i), d);
      ALL.set(JAVA_FLOAT, m + i, moving);
      ALL.set(JAVA_FLOAT, p + i, Math.fma(-rate, nesterov ? Math.fma(momentum, moving, d) : moving, old * shrink));
    }
  }

  @Override
  public void multiplyBf16(long m, int count, float factor) {
    for (long i = 0; i < 4L * count; i += 4) {
      float product = ALL.get(JAVA_FLOAT, m + i) * factor;
      ALL.set(JAVA_FLOAT, m + i, Float.intBitsToFloat(ScalarConvert.bf16(product) << 16));
    }
  }

  @Override
  public int addSquares(long g, int count, float scale, float[] sums, int sumsAt, float[] few) {
    int fours = count / 64 * 16;
    for (int i = 0; i < fours; i++) {
      int at = 4 * (i & -16) + (i & 15);
      float even = addSquare(g, at, scale, sums, sumsAt) + addSquare(g, at + 32, scale, sums, sumsAt);
      float odd = addSquare(g, at + 16, scale, sums, sumsAt) + addSquare(g, at + 48, scale, sums, sumsAt);
      few[i] = even + odd;
    }
    return addLast(g, count, scale, sums, sumsAt, few);
  }

  /** What is left over by 64. */
  static int addLast(long g, int count, float scale, float[] sums, int sumsAt, float[] few) {
    int to = count / 64 * 16;
    for (int i = count / 64 * 64; i < count; i++) {
      few[to++] = addSquare(g, i, scale, sums, sumsAt);
    }
    return to;
  }

  private static float addSquare(long g, int i, float scale, float[] sums, int sumsAt) {
    float gradient = ALL.get(JAVA_FLOAT, g + 4L * i) * scale;
    float square = gradient * gradient;
    sums[sumsAt + i] += square;
    return square;
  }

  @Override
  public void reciprocalRoots(float[] x, int at, int count) {
    for (int i = at; i < at + count; i++) {
      x[i] = 1 / (float) Math.sqrt(x[i]);
    }
  }
}
