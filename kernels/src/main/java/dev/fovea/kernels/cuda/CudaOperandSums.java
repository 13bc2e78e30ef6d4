package dev.fovea.kernels.cuda;

import dev.fovea.kernels.Gemm;

/**
 * How the sums of A ({@link Gemm#operandSums}) are divided among blocks of a product's grid: {@code gemm.cuh}.
 *
 * @param tiles pieces of 128 columns of A
 * @param stretches pieces along k
 * @param rowsPerStretch length of these
 * @param partial floats that the pieces leave
 */
record CudaOperandSums(int tiles, int stretches, int rowsPerStretch, long partial) {
  private static final int COLUMNS = 128;

  /** The shortest stretch that is worth a block, and the most of them. */
  private static final int LEAST_ROWS = 512;

  private static final int MOST_STRETCHES = 16;

  static CudaOperandSums of(Gemm g) {
    if (g.operandSums() == null) {
      return new CudaOperandSums(0, 1, 1, 0);
    }
    int tiles = Math.ceilDiv(g.splitM(), COLUMNS) + Math.ceilDiv(g.m - g.splitM(), COLUMNS);
    int rowsPerStretch = Math.ceilDiv(g.k, Math.min(MOST_STRETCHES, Math.ceilDiv(g.k, LEAST_ROWS)));
    int stretches = Math.ceilDiv(g.k, rowsPerStretch);
    return new CudaOperandSums(tiles, stretches, rowsPerStretch, (long) stretches * g.m);
  }

  int blocks() {
    return tiles * stretches;
  }
}
