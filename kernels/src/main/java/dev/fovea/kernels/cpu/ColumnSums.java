package dev.fovea.kernels.cpu;

import dev.fovea.kernels.Sums;
import dev.fovea.kernels.cpu.simd.Arithmetic;

/**
 * Sums over rows that blocks make in parts: each block adds into a row of its own, and the rows are added up in the
 * order of the blocks.
 */
final class ColumnSums implements Grid {
  private static final int STRIP = 1024;
  private static final int MOST_BLOCKS = 64;

  private final Staging staging;
  private final Arithmetic arithmetic;
  private float[] parts = new float[0];
  private int width;
  private int blocks;
  private int first;
  private int columns;
  private Sums target = Spans.NO_SUMS;

  ColumnSums(Staging staging, Arithmetic arithmetic) {
    this.staging = staging;
    this.arithmetic = arithmetic;
  }

  /** Rows of a block, so that there are not too many blocks. */
  static long rowsPerBlock(long rows, long columns) {
    return Math.max(Math.max(1, PointwiseGrid.BLOCK / columns), (rows + MOST_BLOCKS - 1) / MOST_BLOCKS);
  }

  /** Makes room for {@code blocks} rows of {@code width} values. */
  void begin(int blocks, int width) {
    this.blocks = blocks;
    this.width = width;
    int length = Math.multiplyExact(blocks, width);
    if (parts.length < length) {
      parts = new float[length];
    }
  }

  /** Where the rows lie; a block clears its own first. */
  float[] parts() {
    return parts;
  }

  /** Where the row of a block starts. */
  int at(int block) {
    return block * width;
  }

  /** Puts the sums of columns [first, first + columns) into the target. */
  void put(WorkerPool pool, int first, int columns, Sums target) {
    this.first = first;
    this.columns = columns;
    this.target = target;
    pool.run(this, (columns + STRIP - 1) / STRIP);
  }

  @Override
  public void block(int index, Scratch scratch) {
    int column = index * STRIP;
    int count = Math.min(STRIP, columns - column);
    float[] sum = scratch.zeros(0, count);
    for (int block = 0; block < blocks; block++) {
      arithmetic.add(sum, 0, parts, at(block) + first + column, sum, 0, count);
    }
    if (target.add()) {
      float[] old = scratch.floats(1, count);
      staging.load(target.span(), column, old, 0, count);
      arithmetic.add(old, 0, sum, 0, sum, 0, count);
    }
    staging.store(sum, 0, target.span(), column, count);
  }
}
