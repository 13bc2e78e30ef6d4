package dev.fovea.kernels.cuda;

import dev.fovea.kernels.Gemm;
import dev.fovea.kernels.Layout;
import org.jspecify.annotations.Nullable;

/**
 * A kernel that makes tiles of C, and how it divides a product.
 *
 * @param rows of a tile
 * @param columns of a tile
 * @param threads of a block
 */
record CudaTile(CudaTier tier, int rows, int columns, int threads, CudaKernel kernel) {
  /** Pieces of k at most, and the shortest one that is worth a block. */
  private static final int MOST_SPLITS = 16;

  private static final int LEAST_DEPTH = 512;

  /** Blocks that a multiprocessor holds. */
  private int resident() {
    return tier == CudaTier.PORTABLE ? 2 : 1;
  }

  /** Elements along k that a step of the main loop takes. */
  private int depth() {
    return tier == CudaTier.PORTABLE ? 32 : 64;
  }

  /** Blocks of a launch for so many pieces of work: one each, or as many as the device holds. */
  long blocks(long pieces, int multiprocessors) {
    return tier == CudaTier.PORTABLE ? pieces : Math.min(pieces, (long) resident() * multiprocessors);
  }

  /** How many tiles C has. */
  long count(Gemm g, Gemm.@Nullable QkNorm norm) {
    return (long) down(g) * across(g, norm);
  }

  /** Tiles down C: of operands in parts, a tile is in one of them. */
  int down(Gemm g) {
    return Math.ceilDiv(g.splitM(), rows) + Math.ceilDiv(g.m - g.splitM(), rows);
  }

  /**
   * Tiles across C: queries and keys get tiles of whole heads, so that one block has all of a head; of a gated product
   * a tile has columns of both halves.
   */
  int across(Gemm g, Gemm.@Nullable QkNorm norm) {
    if (g.gated()) {
      return Math.ceilDiv(g.columns(), columns / 2);
    }
    if (norm == null) {
      return Math.ceilDiv(g.splitB(), columns) + Math.ceilDiv(g.n - g.splitB(), columns);
    }
    int heads = 2 * norm.heads() * norm.headDim();
    int perTile = Math.max(1, columns / norm.headDim()) * norm.headDim();
    return Math.ceilDiv(norm.begin(), columns)
        + Math.ceilDiv(heads, perTile)
        + Math.ceilDiv(g.n - norm.begin() - heads, columns);
  }

  /** Along k, how much of it a block multiplies: all, but for weights' gradients of fewer tiles than blocks fit. */
  int depthPerSplit(Gemm g, long tiles, int multiprocessors) {
    long splits = g.layout == Layout.TN
        ? Math.min(Math.min(MOST_SPLITS, g.k / LEAST_DEPTH), (long) resident() * multiprocessors / tiles)
        : 1;
    int each = Math.ceilDiv(g.k, (int) Math.max(1, splits));
    return Math.ceilDiv(each, depth()) * depth();
  }
}
