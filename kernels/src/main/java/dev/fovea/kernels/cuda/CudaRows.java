package dev.fovea.kernels.cuda;

/** The shape of launches over rows: blocks of 256 threads, as many along a row as its quads need, the others down. */
final class CudaRows {
  static final int THREADS = 256;
  private static final int BLOCKS_PER_MULTIPROCESSOR = 32;

  private CudaRows() {}

  /** Threads along a row of {@code columns} values. */
  static int across(long columns) {
    long quads = (columns + CudaOperands.QUAD - 1) / CudaOperands.QUAD;
    return (int) Math.min(THREADS, Long.highestOneBit(Math.max(1, 2 * quads - 1)));
  }

  /** Sets grid and block so that every row gets threads, with a loop over rows in the kernel. */
  static Launch shape(CudaQueue queue, Launch launch, long rows, long columns) {
    int across = across(columns);
    int down = THREADS / across;
    long blocks = (rows + down - 1) / down;
    long most = (long) BLOCKS_PER_MULTIPROCESSOR * queue.device().multiprocessors();
    return launch.grid(Math.max(1, Math.min(blocks, most)), 1, 1).block(across, down, 1);
  }

  /** Sets grid and block for a loop over quads of {@code count} elements. */
  static Launch flat(CudaQueue queue, Launch launch, long count) {
    long perBlock = (long) THREADS * CudaOperands.QUAD;
    long most = (long) BLOCKS_PER_MULTIPROCESSOR * queue.device().multiprocessors();
    return launch.grid(Math.min((count + perBlock - 1) / perBlock, most), 1, 1).block(THREADS, 1, 1);
  }
}
