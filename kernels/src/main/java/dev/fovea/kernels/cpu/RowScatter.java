package dev.fovea.kernels.cpu;

import dev.fovea.kernels.Span;
import dev.fovea.kernels.cpu.simd.Reductions;

/**
 * {@link dev.fovea.kernels.TokenKernels#scatterAdd}. A block owns a range of rows of the output and looks through all
 * indices for them, so that rows named twice are added to in order.
 */
final class RowScatter implements Grid {
  private static final int CHUNK = 2048;
  private static final int BLOCK = 1 << 16;
  private static final int MAX_BLOCKS = 32;

  private final Staging staging;
  private final Reductions reductions;
  private long rows;
  private int width;
  private Span x = Spans.NONE;
  private Span index = Spans.NONE;
  private Span out = Spans.NONE;
  private long rowsPerBlock;

  RowScatter(Staging staging, Reductions reductions) {
    this.staging = staging;
    this.reductions = reductions;
  }

  void run(WorkerPool pool, long rows, int width, Span x, Span index, Span out, long outRows) {
    this.rows = rows;
    this.width = width;
    this.x = x;
    this.index = index;
    this.out = out;
    // Every block reads all indices, so narrow rows are not worth many blocks.
    long blocks = Math.min(Math.min(MAX_BLOCKS, width), (rows * width + BLOCK - 1) / BLOCK);
    if (blocks == 0) {
      return;
    }
    rowsPerBlock = (outRows + blocks - 1) / blocks;
    pool.run(this, (int) blocks);
  }

  @Override
  public void block(int block, Scratch scratch) {
    long first = block * rowsPerBlock;
    for (long row = 0; row < rows; row++) {
      long to = Indices.i32(index, row);
      if (to >= first && to < first + rowsPerBlock) {
        add(row, to, scratch);
      }
    }
  }

  private void add(long row, long to, Scratch scratch) {
    float[] values = scratch.floats(0, CHUNK);
    float[] sums = scratch.floats(1, CHUNK);
    for (int column = 0; column < width; column += CHUNK) {
      int count = Math.min(CHUNK, width - column);
      staging.load(x, row * width + column, values, 0, count);
      staging.load(out, to * width + column, sums, 0, count);
      reductions.add(values, 0, sums, 0, count);
      staging.store(sums, 0, out, to * width + column, count);
    }
  }
}
