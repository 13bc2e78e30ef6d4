package dev.fovea.kernels.cpu.simd;

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
  public void copy(float[] from, int at, int ld, int rows, int columns, float[] to, int toAt, int ldTo) {
    for (int r = 0; r < rows; r++) {
      System.arraycopy(from, at + r * ld, to, toAt + r * ldTo, columns);
    }
  }
}
