package dev.fovea.kernels.cuda;

import dev.fovea.kernels.Span;
import dev.fovea.kernels.Sums;
import org.jspecify.annotations.Nullable;

/** Sums down columns, in an order that the shape alone fixes: part of {@code reduce.cu} that several families need. */
final class CudaColumnSums {
  private static final int COLUMNS_PER_BLOCK = 128;
  private static final int THREADS = 256;
  private static final int ROWS_PER_STRETCH = 64;
  private static final int MOST_STRETCHES = 128;

  private final CudaQueue queue;
  private final CudaKernel sums;

  CudaColumnSums(CudaQueue queue) {
    this.queue = queue;
    sums = queue.family("reduce").kernel("column_sums");
  }

  /** {@code out[c] = sum over r of rowScale[r / rowsPerScale] x[r,c] y[r,c]}, without what is null. */
  void put(
      long rows,
      int columns,
      Span x,
      long ldx,
      @Nullable Span y,
      long ldy,
      @Nullable Span rowScale,
      int rowsPerScale,
      Sums out) {
    long stretches = Math.min(MOST_STRETCHES, Math.ceilDiv(rows, ROWS_PER_STRETCH));
    long rowsPerStretch = Math.ceilDiv(rows, stretches);
    stretches = Math.ceilDiv(rows, rowsPerStretch);
    boolean one = stretches == 1;
    int blocks = Math.ceilDiv(columns, COLUMNS_PER_BLOCK);
    Launch launch = queue.launch().grid(blocks, stretches, 1).block(THREADS, 1, 1);
    CudaOperands.matrix(launch, x, ldx, true);
    CudaOperands.matrix(launch, y, ldy, true);
    launch.pointer(CudaOperands.address(rowScale)).pointer(one ? 0 : queue.scratch(stretches * columns * Float.BYTES));
    CudaOperands.sums(launch, out);
    launch
        .pointer(one ? 0 : queue.counters(blocks))
        .i64(rows)
        .i64(rowsPerStretch)
        .i32(columns)
        .i32(rowScale == null ? 1 : rowsPerScale);
    queue.run(sums, launch);
  }
}
