package dev.fovea.kernels.cpu.simd;

/**
 * Sums and maxima over {@code float[]}. The order of every sum depends on its length alone, not on the vector length,
 * so that all forms give the same bits.
 */
public interface Reductions {
  /**
   * The sum of {@code count} values, by halves: each step adds the upper half to the lower one, so no value passes
   * through more than {@code ceil(log2 count)} additions. Overwrites the values; 0 for none.
   */
  float sum(float[] x, int at, int count);

  /** As {@link #sum}, of the squares. */
  float sumOfSquares(float[] x, int at, int count);

  /** The largest magnitude, NaN if there is one; 0 for none. */
  float maxAbs(float[] x, int at, int count);

  /** {@code sums[c] += sum over r of x[r * columns + c]}, row by row. */
  void columnSums(float[] x, int at, int rows, int columns, float[] sums, int sumsAt);

  /** {@code to = from + x}, from F32 in native memory to F32 in native memory: reads and writes overlap. */
  void addF32(long from, float[] x, int at, long to, int count);

  /** {@code y += x}. */
  void add(float[] x, int xAt, float[] y, int yAt, int count);
}
