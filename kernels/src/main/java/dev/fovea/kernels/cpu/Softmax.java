package dev.fovea.kernels.cpu;

import dev.fovea.kernels.Span;
import dev.fovea.kernels.cpu.simd.Losses;

/** {@link dev.fovea.kernels.LossKernels#softmax}: a block takes some rows. */
final class Softmax implements Grid {
  private static final int BLOCK = 1 << 14;

  private final Staging staging;
  private final Losses loops;
  private long rows;
  private int classes;
  private Span x = Spans.NONE;
  private Span y = Spans.NONE;

  Softmax(Staging staging, Losses loops) {
    this.staging = staging;
    this.loops = loops;
  }

  void run(WorkerPool pool, long rows, int classes, Span x, Span y) {
    this.rows = rows;
    this.classes = classes;
    this.x = x;
    this.y = y;
    pool.run(this, blocks(rows, classes));
  }

  /** How many blocks of whole rows there are. */
  static int blocks(long rows, int classes) {
    long perBlock = rowsPerBlock(classes);
    return Math.toIntExact((rows + perBlock - 1) / perBlock);
  }

  static long rowsPerBlock(int classes) {
    return Math.max(1, BLOCK / classes);
  }

  @Override
  public void block(int index, Scratch scratch) {
    float[] values = scratch.floats(0, classes);
    long end = Math.min(rows, (index + 1) * rowsPerBlock(classes));
    for (long row = index * rowsPerBlock(classes); row < end; row++) {
      staging.load(x, row * classes, values, 0, classes);
      float max = loops.max(values, 0, classes);
      float sum = loops.expSum(max, values, 0, values, 0, classes);
      loops.affine(1 / sum, 0, values, 0, classes);
      staging.store(values, 0, y, row * classes, classes);
    }
  }
}
