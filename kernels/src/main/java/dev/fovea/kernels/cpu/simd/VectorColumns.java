package dev.fovea.kernels.cpu.simd;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** {@link Columns} with the Vector API: one vector of columns at a time, from top to bottom. */
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

  private static void maxDown(float[] x, int at, int rows, float[] max, int maxAt) {
    FloatVector m0 = FloatVector.fromArray(S, max, maxAt);
    FloatVector m1 = m0;
    FloatVector m2 = m0;
    FloatVector m3 = m0;
    int i = 0;
    for (; i + 4 <= rows; i += 4) {
      m0 = larger(m0, FloatVector.fromArray(S, x, at + i * STRIDE));
      m1 = larger(m1, FloatVector.fromArray(S, x, at + (i + 1) * STRIDE));
      m2 = larger(m2, FloatVector.fromArray(S, x, at + (i + 2) * STRIDE));
      m3 = larger(m3, FloatVector.fromArray(S, x, at + (i + 3) * STRIDE));
    }
    for (; i < rows; i++) {
      m0 = larger(m0, FloatVector.fromArray(S, x, at + i * STRIDE));
    }
    larger(larger(m0, m1), larger(m2, m3)).intoArray(max, maxAt);
  }

  /** Two instructions, where {@code max} with its rules for NaN and zero takes five. */
  private static FloatVector larger(FloatVector max, FloatVector x) {
    return max.blend(x, x.compare(VectorOperators.GT, max));
  }

  @Override
  public void exp(float[] x, int at, int rows, int width, float[] shift, int shiftAt, float[] sum, int sumAt) {
    for (int j = 0; j < width; j += LANES) {
      expDown(x, at + j, rows, shift, shiftAt + j, sum, sumAt + j);
    }
  }

  private static void expDown(
      float[] x, int at, int rows, float[] shift, int shiftAt, float[] sum, int sumAt) {
    FloatVector s = FloatVector.fromArray(S, shift, shiftAt);
    FloatVector sum0 = FloatVector.fromArray(S, sum, sumAt);
    FloatVector sum1 = FloatVector.zero(S);
    int i = 0;
    for (; i + 2 <= rows; i += 2) {
      int row0 = at + i * STRIDE;
      int row1 = row0 + STRIDE;
      FloatVector e0 = VectorMaths.expFlushed(FloatVector.fromArray(S, x, row0).sub(s));
      FloatVector e1 = VectorMaths.expFlushed(FloatVector.fromArray(S, x, row1).sub(s));
      e0.intoArray(x, row0);
      e1.intoArray(x, row1);
      sum0 = sum0.add(e0);
      sum1 = sum1.add(e1);
    }
    if (i < rows) {
      int row = at + i * STRIDE;
      FloatVector e = VectorMaths.expFlushed(FloatVector.fromArray(S, x, row).sub(s));
      e.intoArray(x, row);
      sum0 = sum0.add(e);
    }
    sum0.add(sum1).intoArray(sum, sumAt);
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
      FloatVector e = VectorMaths.expFlushed(FloatVector.fromArray(S, p, pAt + row).sub(l));
      e.intoArray(p, pAt + row);
      FloatVector.fromArray(S, d, dAt + row).sub(t).mul(e).intoArray(d, dAt + row);
    }
  }
}
