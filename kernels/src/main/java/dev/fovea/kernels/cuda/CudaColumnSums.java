package dev.fovea.kernels.cuda;

import dev.fovea.kernels.Span;
import org.jspecify.annotations.Nullable;

/** Sums down columns, in an order that the shape alone fixes: part of {@code reduce.cu} that several families need. */
final class CudaColumnSums {
  private static final int COLUMNS_PER_BLOCK = 128;
  private static final int THREADS = 256;
  private static final int ROWS_PER_STRETCH = 64;
  private static final int MOST_STRETCHES = 128;

  private final CudaQueue queue;
  private final CudaKernel sums;
  private final CudaKernel finish;

  CudaColumnSums(CudaQueue queue) {
    this.queue = queue;
    CudaFamily family = queue.family("reduce");
    sums = family.kernel("column_sums");
    finish = family.kernel("column_sums_finish");
  }

  /** {@code out[c] += sum over r of rowScale[r / rowsPerScale] x[r,c] y[r,c]}, without what is null. */
  void add(
      long rows,
      int columns,
      Span x,
      long ldx,
      @Nullable Span y,
      long ldy,
      @Nullable Span rowScale,
      int rowsPerScale,
      Span out) {
    long stretches = Math.min(MOST_STRETCHES, Math.ceilDiv(rows, ROWS_PER_STRETCH));
    long rowsPerStretch = Math.ceilDiv(rows, stretches);
    stretches = Math.ceilDiv(rows, rowsPerStretch);
    long to = stretches == 1 ? out.address() : queue.scratch(stretches * columns * Float.BYTES);
    Launch launch = queue
        .launch()
        .grid(Math.ceilDiv(columns, COLUMNS_PER_BLOCK), stretches, 1)
        .block(THREADS, 1, 1);
    CudaOperands.matrix(launch, x, ldx, true);
    CudaOperands.matrix(launch, y, ldy, true);
    launch
        .pointer(CudaOperands.address(rowScale))
        .pointer(to)
        .i64(rows)
        .i64(rowsPerStretch)
        .i32(columns)
        .i32(rowScale == null ? 1 : rowsPerScale)
        .i32(stretches == 1 ? 1 : 0)
        .i32(0);
    queue.run(sums, launch);
    if (stretches > 1) {
      finish(to, stretches, columns, columns, out);
    }
  }

  /** Adds {@code count} rows of partial sums, {@code stride} floats apart, to the first columns of {@code out}. */
  void finish(long partial, long count, long stride, int columns, Span out) {
    Launch launch = queue
        .launch()
        .grid(Math.ceilDiv(columns, THREADS), 1, 1)
        .block(THREADS, 1, 1)
        .pointer(partial)
        .pointer(out.address())
        .i64(count)
        .i64(stride)
        .i32(columns)
        .i32(0);
    queue.run(finish, launch);
  }
}
