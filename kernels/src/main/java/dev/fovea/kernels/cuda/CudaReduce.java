package dev.fovea.kernels.cuda;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.ReduceKernels;
import dev.fovea.kernels.Span;

/** Reductions on a GPU: {@code reduce.cu}. */
final class CudaReduce implements ReduceKernels {
  private static final int THREADS = 256;
  private static final int PER_BLOCK = 4096;

  // What fold makes of a block's values: the kernel's enum.
  private static final int SUM = 0;
  private static final int SQUARES = 1;
  private static final int LARGEST = 2;

  private final CudaQueue queue;
  private final CudaColumnSums columnSums;
  private final CudaKernel fold;
  private final CudaKernel clipFactor;

  CudaReduce(CudaQueue queue, CudaColumnSums columnSums) {
    this.queue = queue;
    this.columnSums = columnSums;
    CudaFamily family = queue.family("reduce");
    fold = family.kernel("fold");
    clipFactor = family.kernel("clip_factor");
  }

  @Override
  public void sum(Span x, Span out) {
    fold(x, SUM, out, false);
  }

  @Override
  public void sumOfSquares(Span x, Span out) {
    fold(x, SQUARES, out, true);
  }

  @Override
  public void maxAbs(Span x, Span out) {
    fold(x, LARGEST, out, false);
  }

  private void fold(Span x, int kind, Span out, boolean accumulate) {
    long blocks = blocks(x.count());
    if (blocks == 1) {
      fold(x, kind, out.address(), accumulate);
      return;
    }
    // Every further level has its own place behind the one before.
    int next = kind == SQUARES ? SUM : kind;
    long room = blocks;
    for (long n = blocks(blocks); n > 1; n = blocks(n)) {
      room += n;
    }
    long at = queue.scratch(room * Float.BYTES);
    fold(x, kind, at, false);
    while (blocks > 1) {
      Span level = new Span(at, blocks * Float.BYTES, DType.F32);
      at += blocks * Float.BYTES;
      blocks = blocks(blocks);
      fold(level, next, blocks == 1 ? out.address() : at, blocks == 1 && accumulate);
    }
  }

  private static long blocks(long count) {
    return Math.max(1, (count + PER_BLOCK - 1) / PER_BLOCK);
  }

  private void fold(Span x, int kind, long out, boolean accumulate) {
    Launch launch = queue.launch().grid(blocks(x.count()), 1, 1).block(THREADS, 1, 1);
    CudaOperands.vector(launch, x);
    launch.pointer(out).i64(x.count()).i32(kind).i32(accumulate ? 1 : 0);
    queue.run(fold, launch);
  }

  @Override
  public void columnSums(long rows, int columns, Span x, long ld, Span sums) {
    columnSums.add(rows, columns, x, ld, null, 0, null, 1, sums);
  }

  @Override
  public void clipFactor(Span sumOfSquares, float maxNorm, Span out) {
    Launch launch = queue
        .launch()
        .block(32, 1, 1)
        .pointer(sumOfSquares.address())
        .pointer(out.address())
        .f32(maxNorm)
        .i32(0);
    queue.run(clipFactor, launch);
  }
}
