package dev.fovea.kernels.cpu.simd;

/**
 * Register tiles of a matrix product: {@code C[rows x columns] (+)= A B} with the sums over k kept in registers, over
 * panels that were packed before.
 *
 * <ul>
 *   <li>An <b>A panel</b> holds {@link #rows} rows of A, k by k: element (i, k) at {@code k * rows() + i}.
 *   <li>A <b>B panel</b> holds {@link #columns} columns of B, k by k: element (k, j) at {@code k * columns() + j}.
 *   <li>C is row-major with leading dimension {@code ldc}.
 * </ul>
 *
 * Panels are padded with zeros to whole tiles by whoever packs them. The sum over k runs upwards from zero, each step
 * one fused multiply-add, then C is added if {@code accumulate}.
 */
public interface Tiles {
  /** Rows of a tile. */
  int rows();

  /** Columns of a tile; a multiple of twice the vector length. */
  int columns();

  /** One whole tile from an A panel and a B panel. */
  void multiply(int k, float[] a, int aAt, float[] b, int bAt, float[] c, int cAt, int ldc, boolean accumulate);

  /** Whether a B panel in native memory, where weights that were packed once lie, is best read from there. */
  default boolean readsNative() {
    return false;
  }

  /**
   * {@link #multiply} with the B panel in native memory.
   *
   * @throws UnsupportedOperationException unless {@link #readsNative}
   */
  default void multiply(int k, float[] a, int aAt, long b, float[] c, int cAt, int ldc, boolean accumulate) {
    throw new UnsupportedOperationException("copy the panel to an array first");
  }

  /** The left half of the columns only, for a last panel that is at most half full. */
  void multiplyHalf(int k, float[] a, int aAt, float[] b, int bAt, float[] c, int cAt, int ldc, boolean accumulate);

  /**
   * One whole tile with A read as it lies in a row-major matrix whose leading dimension is {@link #columns}: element
   * (i, k) at {@code aAt + i * columns() + k}. So the C of one product (a strip of {@code columns()} columns) is the A
   * of the next.
   */
  void multiplyRows(int k, float[] a, int aAt, float[] b, int bAt, float[] c, int cAt, int ldc, boolean accumulate);

  /** {@link #multiplyRows} for the left half of the columns of B and C only. */
  void multiplyRowsHalf(int k, float[] a, int aAt, float[] b, int bAt, float[] c, int cAt, int ldc, boolean accumulate);

  /**
   * Takes {@code rows} rows of a tile out to F32 in native memory: {@code to = (c + bias) + residual}, {@link #columns}
   * wide.
   *
   * @param bias read from {@code biasAt} on
   * @param residual first element, or 0 for none; may be {@code to}
   */
  void store(
      int rows,
      float[] c,
      int cAt,
      int ldc,
      float[] bias,
      int biasAt,
      long residual,
      long ldResidual,
      long to,
      long ldTo);
}
