package dev.fovea.kernels.cpu.simd;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link Columns} with the Vector API: one vector of columns at a time, from top to bottom. What a loop carries along
 * is always an argument, never the receiver: C2 knows the class of a vector that was just loaded, and need not trust a
 * profile to inline.
 */
final class VectorColumns implements Columns {
  private static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
  private static final int LANES = S.length();
  private static final int STRIDE = VectorTiles.best().columns();

  @Override
  public void max(float[] x, int at, int rows, int width, float[] max, int maxAt) {
    for (int j = 0; j < width; j += LANES) {
      maxDown(x, at + j, rows, max, maxAt + j);
    }
  }

  /**
   * Compare and blend are two instructions, where {@link FloatVector#max} with its rules for NaN and zero takes five.
   * They are written out, because a function as short as this pair is compiled alone and then no longer inlined.
   */
  private static void maxDown(float[] x, int at, int rows, float[] max, int maxAt) {
    FloatVector m = FloatVector.fromArray(S, max, maxAt);
    int i = 0;
    for (; i < rows - 1; i += 2) {
      int row = at + i * STRIDE;
      FloatVector x0 = FloatVector.fromArray(S, x, row);
      FloatVector x1 = FloatVector.fromArray(S, x, row + STRIDE);
      FloatVector larger = x1.blend(x0, x1.compare(VectorOperators.LE, x0));
      m = larger.blend(m, larger.compare(VectorOperators.LE, m));
    }
    if (i < rows) {
      FloatVector last = FloatVector.fromArray(S, x, at + i * STRIDE);
      m = last.blend(m, last.compare(VectorOperators.LE, m));
    }
    m.intoArray(max, maxAt);
  }

  @Override
  public void exp(float[] x, int at, int rows, int width, float[] shift, int shiftAt, float[] sum, int sumAt) {
    for (int j = 0; j < width; j += LANES) {
      expDown(x, at + j, rows, shift, shiftAt + j, sum, sumAt + j);
    }
  }

  private static void expDown(float[] x, int at, int rows, float[] shift, int shiftAt, float[] sum, int sumAt) {
    FloatVector s = FloatVector.fromArray(S, shift, shiftAt);
    FloatVector total = FloatVector.fromArray(S, sum, sumAt);
    for (int i = 0; i < rows; i++) {
      int row = at + i * STRIDE;
      FloatVector e = VectorMaths.expFlushed(FloatVector.fromArray(S, x, row).sub(s));
      e.intoArray(x, row);
      total = e.add(total);
    }
    total.intoArray(sum, sumAt);
  }

  @Override
  public void scale(float[] x, int at, int rows, int width, float[] factor, int factorAt) {
    for (int j = 0; j < width; j += LANES) {
      FloatVector f = FloatVector.fromArray(S, factor, factorAt + j);
      for (int i = 0; i < rows; i++) {
        int row = at + i * STRIDE + j;
        FloatVector.fromArray(S, x, row).mul(f).intoArray(x, row);
      }
    }
  }

  @Override
  public void dot(float[] a, int aAt, float[] b, int bAt, int rows, int width, float[] dot, int dotAt) {
    for (int j = 0; j < width; j += LANES) {
      FloatVector sum = FloatVector.zero(S);
      for (int i = 0; i < rows; i++) {
        int row = i * STRIDE + j;
        sum = FloatVector.fromArray(S, a, aAt + row).fma(FloatVector.fromArray(S, b, bAt + row), sum);
      }
      sum.intoArray(dot, dotAt + j);
    }
  }

  @Override
  public void softmaxGradient(
      float[] p, int pAt, float[] d, int dAt, int rows, int width, float[] lse, int lseAt, float[] dot, int dotAt) {
    for (int j = 0; j < width; j += LANES) {
      gradientDown(p, pAt + j, d, dAt + j, rows, lse, lseAt + j, dot, dotAt + j);
    }
  }

  private static void gradientDown(
      float[] p, int pAt, float[] d, int dAt, int rows, float[] lse, int lseAt, float[] dot, int dotAt) {
    FloatVector l = FloatVector.fromArray(S, lse, lseAt);
    FloatVector t = FloatVector.fromArray(S, dot, dotAt);
    for (int i = 0; i < rows; i++) {
      int row = i * STRIDE;
      FloatVector e =
          VectorMaths.expFlushed(FloatVector.fromArray(S, p, pAt + row).sub(l));
      e.intoArray(p, pAt + row);
      FloatVector.fromArray(S, d, dAt + row).sub(t).mul(e).intoArray(d, dAt + row);
    }
  }
}
