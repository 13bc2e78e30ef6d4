package dev.fovea.kernels.cpu.simd;

import static dev.fovea.kernels.cpu.simd.Memory.ALL;

import java.lang.foreign.ValueLayout;

/** {@link Tiles} in plain Java: 4 x 8, in corners whose sums are local variables. */
final class ScalarTiles implements Tiles {
  private static final int ROWS = 4;
  private static final int COLUMNS = 8;

  @Override
  public int rows() {
    return ROWS;
  }

  @Override
  public int columns() {
    return COLUMNS;
  }

  @Override
  public void multiply(int k, float[] a, int aAt, float[] b, int bAt, float[] c, int cAt, int ldc, boolean accumulate) {
    tile(k, a, aAt, 1, ROWS, b, bAt, c, cAt, ldc, COLUMNS, accumulate);
  }

  @Override
  public void multiplyHalf(
      int k, float[] a, int aAt, float[] b, int bAt, float[] c, int cAt, int ldc, boolean accumulate) {
    tile(k, a, aAt, 1, ROWS, b, bAt, c, cAt, ldc, COLUMNS / 2, accumulate);
  }

  @Override
  public void multiplyRows(
      int k, float[] a, int aAt, float[] b, int bAt, float[] c, int cAt, int ldc, boolean accumulate) {
    tile(k, a, aAt, COLUMNS, 1, b, bAt, c, cAt, ldc, COLUMNS, accumulate);
  }

  @Override
  public void multiplyRowsHalf(
      int k, float[] a, int aAt, float[] b, int bAt, float[] c, int cAt, int ldc, boolean accumulate) {
    tile(k, a, aAt, COLUMNS, 1, b, bAt, c, cAt, ldc, COLUMNS / 2, accumulate);
  }

  private static void tile(
      int k,
      float[] a,
      int aAt,
      int aRow,
      int aStep,
      float[] b,
      int bAt,
      float[] c,
      int cAt,
      int ldc,
      int columns,
      boolean accumulate) {
    for (int i = 0; i < ROWS; i += 2) {
      for (int j = 0; j < columns; j += 4) {
        corner(k, a, aAt + i * aRow, aRow, aStep, b, bAt + j, c, cAt + i * ldc + j, ldc, accumulate);
      }
    }
  }

  /** 2 x 4 sums, as many as x86's registers hold beside their operands. */
  private static void corner(
      int k,
      float[] a,
      int aAt,
      int aRow,
      int aStep,
      float[] b,
      int bAt,
      float[] c,
      int cAt,
      int ldc,
      boolean accumulate) {
    float c00 = 0, c01 = 0, c02 = 0, c03 = 0;
    float c10 = 0, c11 = 0, c12 = 0, c13 = 0;
    for (int p = 0; p < k; p++) {
      float a0 = a[aAt + p * aStep];
      float a1 = a[aAt + aRow + p * aStep];
      float b0 = b[bAt + p * COLUMNS];
      float b1 = b[bAt + p * COLUMNS + 1];
      float b2 = b[bAt + p * COLUMNS + 2];
      float b3 = b[bAt + p * COLUMNS + 3];
      c00 += a0 * b0;
      c01 += a0 * b1;
      c02 += a0 * b2;
      c03 += a0 * b3;
      c10 += a1 * b0;
      c11 += a1 * b1;
      c12 += a1 * b2;
      c13 += a1 * b3;
    }
    four(c00, c01, c02, c03, c, cAt, accumulate);
    four(c10, c11, c12, c13, c, cAt + ldc, accumulate);
  }

  private static void four(float s0, float s1, float s2, float s3, float[] c, int at, boolean accumulate) {
    c[at] = accumulate ? c[at] + s0 : s0;
    c[at + 1] = accumulate ? c[at + 1] + s1 : s1;
    c[at + 2] = accumulate ? c[at + 2] + s2 : s2;
    c[at + 3] = accumulate ? c[at + 3] + s3 : s3;
  }

  @Override
  public void store(
      int rows,
      float[] c,
      int cAt,
      int ldc,
      float[] bias,
      int biasAt,
      long residual,
      long ldResidual,
      long to,
      long ldTo) {
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < COLUMNS; j++) {
        float y = c[cAt + i * ldc + j] + bias[biasAt + j];
        if (residual != 0) {
          y += ALL.get(ValueLayout.JAVA_FLOAT, residual + 4 * (i * ldResidual + j));
        }
        ALL.set(ValueLayout.JAVA_FLOAT, to + 4 * (i * ldTo + j), y);
      }
    }
  }
}
