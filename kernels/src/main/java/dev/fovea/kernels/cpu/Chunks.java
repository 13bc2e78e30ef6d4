package dev.fovea.kernels.cpu;

/**
 * A launch over the elements of flat spans: blocks of them, each taken in chunks that stay in the first-level cache.
 */
abstract class Chunks implements Grid {
  /** Elements of a chunk; a multiple of 4, the words of a Philox block. */
  static final int CHUNK = 2048;

  private static final int BLOCK = 32 * CHUNK;

  private long count;

  /** Does it for elements 0 to {@code count - 1}. */
  final void run(WorkerPool pool, long count) {
    this.count = count;
    pool.run(this, Math.toIntExact((count + BLOCK - 1) / BLOCK));
  }

  @Override
  public final void block(int index, Scratch scratch) {
    long end = Math.min(count, (index + 1L) * BLOCK);
    for (long first = (long) index * BLOCK; first < end; first += CHUNK) {
      chunk(first, (int) Math.min(CHUNK, end - first), scratch);
    }
  }

  /** Does it for elements {@code [first, first + count)}, at most {@link #CHUNK} of them. */
  abstract void chunk(long first, int count, Scratch scratch);
}
