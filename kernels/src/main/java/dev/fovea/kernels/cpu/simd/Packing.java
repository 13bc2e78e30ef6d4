package dev.fovea.kernels.cpu.simd;

/** Rearranges matrices into the panels that {@link Tiles} reads. */
public interface Packing {
  /**
   * {@code to[toAt + c * ldTo + r] = from[at + r * ld + c]} for {@code rows} x {@code columns} elements, {@code rows} a
   * multiple of 4: a panel of a matrix that is stored along k.
   */
  void transpose(float[] from, int at, int ld, int rows, int columns, float[] to, int toAt, int ldTo);

  /**
   * {@code to[toAt + r * ldTo + c] = from[at + r * ld + c]} for {@code rows} x {@code columns} elements,
   * {@code columns} a multiple of 4: a panel of a matrix that is stored across k.
   */
  void copy(float[] from, int at, int ld, int rows, int columns, float[] to, int toAt, int ldTo);
}
