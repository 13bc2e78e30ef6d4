package dev.fovea.kernels.cpu.simd;

/** {@link Tiles} in plain Java: 4 x 8, shaped so that C2 can vectorise the inner loop by itself. */
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
  public void multiply(
      int k, float[] a, int aAt, float[] b, int bAt, float[] c, int cAt, int ldc, boolean accumulate) {
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
    for (int i = 0; i < ROWS; i++) {
      for (int j = 0; j < columns; j++) {
        float sum = 0;
        for (int p = 0; p < k; p++) {
          sum += a[aAt + i * aRow + p * aStep] * b[bAt + p * COLUMNS + j];
        }
        int at = cAt + i * ldc + j;
        c[at] = accumulate ? c[at] + sum : sum;
      }
    }
  }
}
