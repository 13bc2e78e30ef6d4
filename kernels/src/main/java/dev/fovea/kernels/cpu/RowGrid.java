package dev.fovea.kernels.cpu;

/**
 * A launch over a matrix whose rows lie one after the other. Blocks are whole rows; steps are some short rows or a part
 * of a long one, so that a step is one stretch of memory.
 */
abstract class RowGrid implements Grid {
  private long rows;
  private int columns;
  private long rowsPerBlock;

  /** Blocks of about {@link PointwiseGrid#BLOCK} elements. */
  final void run(WorkerPool pool, long rows, int columns) {
    run(pool, rows, columns, Math.max(1, PointwiseGrid.BLOCK / columns));
  }

  final void run(WorkerPool pool, long rows, int columns, long rowsPerBlock) {
    this.rows = rows;
    this.columns = columns;
    this.rowsPerBlock = rowsPerBlock;
    pool.run(this, Math.toIntExact((rows + rowsPerBlock - 1) / rowsPerBlock));
  }

  @Override
  public final void block(int index, Scratch scratch) {
    begin(index, scratch);
    long end = Math.min(rows, (index + 1) * rowsPerBlock);
    int height = Math.max(1, PointwiseGrid.CHUNK / columns);
    for (long row = index * rowsPerBlock; row < end; row += height) {
      int some = (int) Math.min(height, end - row);
      for (int column = 0; column < columns; column += PointwiseGrid.CHUNK) {
        chunk(row, some, column, Math.min(PointwiseGrid.CHUNK, columns - column), scratch);
      }
    }
  }

  /** The block that a row is in. */
  final int blockOf(long row) {
    return (int) (row / rowsPerBlock);
  }

  /** Before the steps of a block. */
  void begin(int block, Scratch scratch) {}

  /** Rows [row, row + rows), columns [column, column + width): all columns, or one row. */
  abstract void chunk(long row, int rows, int column, int width, Scratch scratch);
}
