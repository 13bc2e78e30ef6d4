package dev.fovea.kernels.cpu.simd;

import static dev.fovea.kernels.cpu.simd.Memory.ALL;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

/** {@link Reductions} in plain Java. */
final class ScalarReductions implements Reductions {
  @Override
  public float sum(float[] x, int at, int count) {
    if (count == 0) {
      return 0;
    }
    for (int n = count; n > 1; n -= n / 2) {
      int half = n - n / 2;
      for (int i = at; i < at + n / 2; i++) {
        x[i] += x[i + half];
      }
    }
    return x[at];
  }

  @Override
  public float sumOfSquares(float[] x, int at, int count) {
    for (int i = at; i < at + count; i++) {
      x[i] *= x[i];
    }
    return sum(x, at, count);
  }

  @Override
  public float maxAbs(float[] x, int at, int count) {
    int max = 0;
    for (int i = at; i < at + count; i++) {
      max = Math.max(max, Float.floatToRawIntBits(x[i]) & Integer.MAX_VALUE); // NaNs are above infinity
    }
    return Float.intBitsToFloat(max);
  }

  @Override
  public void columnSums(float[] x, int at, int rows, int columns, float[] sums, int sumsAt) {
    for (int r = 0; r < rows; r++) {
      add(x, at + r * columns, sums, sumsAt, columns);
    }
  }

  @Override
  public void addF32(long from, float[] x, int at, long to, int count) {
    for (int i = 0; i < count; i++) {
      ALL.set(JAVA_FLOAT, to + 4L * i, ALL.get(JAVA_FLOAT, from + 4L * i) + x[at + i]);
    }
  }

  @Override
  public void add(float[] x, int xAt, float[] y, int yAt, int count) {
    for (int i = 0; i < count; i++) {
      y[yAt + i] += x[xAt + i];
    }
  }
}
