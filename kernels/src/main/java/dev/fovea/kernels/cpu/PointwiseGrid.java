package dev.fovea.kernels.cpu;

/** A launch over {@code count} elements that do not know each other. */
abstract class PointwiseGrid implements Grid {
  /** Elements of a block: at least some ten microseconds of work. */
  static final int BLOCK = 1 << 15;

  /**
   * Elements of a step: three operands fit a first-level cache of 32 KiB three times over, and prefetching keeps up.
   */
  static final int CHUNK = 768;

  private long count;

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

  abstract void chunk(long first, int count, Scratch scratch);
}
