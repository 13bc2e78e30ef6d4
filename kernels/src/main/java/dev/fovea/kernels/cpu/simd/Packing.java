package dev.fovea.kernels.cpu.simd;

import org.jspecify.annotations.Nullable;

/** Rearranges matrices into the panels that {@link Tiles} reads. */
public interface Packing {
  /**
   * {@code to[toAt + c * ldTo + r] = from[at + r * ld + c]} for {@code rows} x {@code columns} elements, fastest where
   * {@code rows} is a multiple of 4: a panel of a matrix that is stored along k.
   */
  void transpose(float[] from, int at, int ld, int rows, int columns, float[] to, int toAt, int ldTo);

  /**
   * {@code to[toAt + c * width + r] = from[r * ld + c]} for {@code rows} x {@code columns} F32 in native memory: a
   * panel of a matrix that is stored along k. Lanes from {@code rows} to {@code width} hold copies of the last row.
   */
  void panel(long from, long ld, int rows, int columns, float[] to, int toAt, int width);

  /**
   * {@code to[toAt + (p * rows + r) * width + c] = from[r * ld + p * width + c]} for {@code panels} whole panels of
   * {@code rows} x {@code width} F32 in native memory: a matrix that is stored across k.
   *
   * @param width rows or columns of a tile
   * @param sums where sums over the rows go, {@code sums[sumsAt + p * width + c]}, each upwards from zero; null for
   *     none
   */
  void across(
      long from, long ld, int rows, int panels, float[] to, int toAt, int width, float @Nullable [] sums, int sumsAt);

  /**
   * {@code to[toAt + r * ldTo + c] = from[at + r * ld + c]} for {@code rows} x {@code columns} elements,
   * {@code columns} a multiple of 4 or all of ldTo: a panel of a matrix that is stored across k.
   */
  void copy(float[] from, int at, int ld, int rows, int columns, float[] to, int toAt, int ldTo);
}
