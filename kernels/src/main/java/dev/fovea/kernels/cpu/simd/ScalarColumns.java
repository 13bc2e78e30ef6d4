package dev.fovea.kernels.cpu.simd;

/** {@link Columns} in plain Java. */
final class ScalarColumns implements Columns {
  private static final int STRIDE = new ScalarTiles().columns();

  @Override
  public void max(float[] x, int at, int rows, int width, float[] max, int maxAt) {
    for (int i = 0; i < rows; i++) {
      int row = at + i * STRIDE;
      for (int j = 0; j < width; j++) {
        max[maxAt + j] = x[row + j] > max[maxAt + j] ? x[row + j] : max[maxAt + j];
      }
    }
  }

  @Override
  public void exp(float[] x, int at, int rows, int width, float[] shift, int shiftAt, float[] sum, int sumAt) {
    for (int i = 0; i < rows; i++) {
      int row = at + i * STRIDE;
      for (int j = 0; j < width; j++) {
        float e = ScalarMaths.expFlushed(x[row + j] - shift[shiftAt + j]);
        x[row + j] = e;
        sum[sumAt + j] += e;
      }
    }
  }

  @Override
  public void scale(float[] x, int at, int rows, int width, float[] factor, int factorAt) {
    for (int i = 0; i < rows; i++) {
      int row = at + i * STRIDE;
      for (int j = 0; j < width; j++) {
        x[row + j] *= factor[factorAt + j];
      }
    }
  }

  @Override
  public void dot(float[] a, int aAt, float[] b, int bAt, int rows, int width, float[] dot, int dotAt) {
    for (int j = 0; j < width; j++) {
      dot[dotAt + j] = 0;
    }
    for (int i = 0; i < rows; i++) {
      int row = i * STRIDE;
      for (int j = 0; j < width; j++) {
        dot[dotAt + j] = Math.fma(a[aAt + row + j], b[bAt + row + j], dot[dotAt + j]);
      }
    }
  }

  @Override
  public void softmaxGradient(
      float[] p, int pAt, float[] d, int dAt, int rows, int width, float[] lse, int lseAt, float[] dot, int dotAt) {
    for (int i = 0; i < rows; i++) {
      int row = i * STRIDE;
      for (int j = 0; j < width; j++) {
        float e = ScalarMaths.expFlushed(p[pAt + row + j] - lse[lseAt + j]);
        p[pAt + row + j] = e;
        d[dAt + row + j] = e * (d[dAt + row + j] - dot[dotAt + j]);
      }
    }
  }
}
