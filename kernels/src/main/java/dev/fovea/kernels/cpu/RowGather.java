package dev.fovea.kernels.cpu;

import dev.fovea.kernels.Span;

/**
 * {@link dev.fovea.kernels.TokenKernels#gather}: rows copied as bytes; rows that follow each other in x go together.
 */
final class RowGather implements Grid {
  private static final int BLOCK_BYTES = 1 << 18;

  private long rows;
  private int width;
  private long rowsPerBlock;
  private Span x = Spans.NONE;
  private Span index = Spans.NONE;
  private Span out = Spans.NONE;

  void run(WorkerPool pool, long rows, int width, Span x, Span index, Span out) {
    this.rows = rows;
    this.width = width;
    this.x = x;
    this.index = index;
    this.out = out;
    rowsPerBlock = Math.max(1, BLOCK_BYTES / ((long) width * x.dtype().bytes()));
    pool.run(this, Math.toIntExact((rows + rowsPerBlock - 1) / rowsPerBlock));
  }

  @Override
  public void block(int block, Scratch scratch) {
    long end = Math.min(rows, (block + 1) * rowsPerBlock);
    long row = block * rowsPerBlock;
    while (row < end) {
      long from = Indices.i32(index, row);
      long run = 1;
      while (row + run < end && Indices.i32(index, row + run) == from + run) {
        run++;
      }
      Spans.copy(x, from * width, out, row * width, run * width);
      row += run;
    }
  }
}
