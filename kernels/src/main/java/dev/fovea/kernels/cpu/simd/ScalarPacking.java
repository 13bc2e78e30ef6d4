package dev.fovea.kernels.cpu.simd;

import static dev.fovea.kernels.cpu.simd.Memory.ALL;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import org.jspecify.annotations.Nullable;

/** {@link Packing} in plain Java. */
final class ScalarPacking implements Packing {
  @Override
  public void transpose(float[] from, int at, int ld, int rows, int columns, float[] to, int toAt, int ldTo) {
    for (int r = 0; r < rows; r++) {
      for (int c = 0; c < columns; c++) {
        to[toAt + c * ldTo + r] = from[at + r * ld + c];
      }
    }
  }

  @Override
  public void panel(long from, long ld, int rows, int columns, float[] to, int toAt, int width) {
    for (int r = 0; r < width; r++) {
      long row = from + 4 * ld * Math.min(r, rows - 1);
      for (int c = 0; c < columns; c++) {
        to[toAt + c * width + r] = ALL.get(JAVA_FLOAT, row + 4L * c);
      }
    }
  }

  @Override
  public void across(
      long from, long ld, int rows, int panels, float[] to, int toAt, int width, float @Nullable [] sums, int sumsAt) {
    for (int c = 0; c < panels * width; c++) {
      float sum = 0;
      for (int r = 0; r < rows; r++) {
        float x = ALL.get(JAVA_FLOAT, from + 4 * (r * ld + c));
        to[toAt + (c / width * rows + r) * width + c % width] = x;
        sum += x;
      }
      if (sums != null) {
        sums[sumsAt + c] = sum;
      }
    }
  }

  @Override
  public void copy(float[] from, int at, int ld, int rows, int columns, float[] to, int toAt, int ldTo) {
    for (int r = 0; r < rows; r++) {
      System.arraycopy(from, at + r * ld, to, toAt + r * ldTo, columns);
    }
  }
}
