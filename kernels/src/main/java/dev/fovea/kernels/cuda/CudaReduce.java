package dev.fovea.kernels.cuda;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.ReduceKernels;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.Sums;
import java.util.List;

/** Reductions on a GPU: {@code reduce.cu}. */
final class CudaReduce implements ReduceKernels {
  private static final int THREADS = 256;
  private static final int PER_BLOCK = 4096;

  /** Entries of a table of tensors, and bytes of an entry. */
  private static final int MOST = 1362;

  private static final int PIECE_BYTES = 24;

  /** Beside a tensor's dtype: its quads are aligned. */
  private static final int QUADS = 1 << 16;

  // What fold makes of a block's values: the kernel's enum.
  private static final int SUM = 0;
  private static final int SQUARES = 1;
  private static final int LARGEST = 2;

  private final CudaQueue queue;
  private final CudaColumnSums columnSums;
  private final CudaKernel fold;
  private final CudaKernel foldSquares;
  private final CudaKernel clipFactor;

  CudaReduce(CudaQueue queue, CudaColumnSums columnSums) {
    this.queue = queue;
    this.columnSums = columnSums;
    CudaFamily family = queue.family("reduce");
    fold = family.kernel("fold");
    foldSquares = family.kernel("fold_squares");
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

  @Override
  public void sumOfSquares(List<Span> xs, Span out) {
    for (int first = 0; first < xs.size(); first += MOST) {
      foldSquares(xs.subList(first, Math.min(xs.size(), first + MOST)), out);
    }
  }

  private void foldSquares(List<Span> xs, Span out) {
    long blocks = 0;
    for (Span x : xs) {
      blocks += Math.ceilDiv(x.count(), (long) PER_BLOCK);
    }
    if (blocks == 0) {
      return;
    }
    long partial = queue.scratch((blocks + room(blocks)) * Float.BYTES);
    Launch launch = queue.launch().pointer(partial).i32(xs.size()).i32(0);
    long at = 0;
    for (Span x : xs) {
      launch
          .pointer(x.address())
          .i64(x.count())
          .i32(Math.toIntExact(at))
          .i32(CudaOperands.code(x.dtype()) | (CudaSteps.isQuads(x) ? QUADS : 0));
      at += Math.ceilDiv(x.count(), (long) PER_BLOCK);
    }
    launch.skip((MOST - xs.size()) * PIECE_BYTES);
    queue.run(foldSquares, launch.grid(blocks, 1, 1).block(THREADS, 1, 1));
    long next = partial + blocks * Float.BYTES;
    fold(new Span(partial, blocks * Float.BYTES, DType.F32), SUM, SUM, out, true, next);
  }

  private void fold(Span x, int kind, Span out, boolean accumulate) {
    long room = room(x.count());
    fold(x, kind, kind == SQUARES ? SUM : kind, out, accumulate, room == 0 ? 0 : queue.scratch(room * Float.BYTES));
  }

  /** Folds level after level, each of which has its own place behind the one before, from {@code at} on. */
  private void fold(Span x, int kind, int next, Span out, boolean accumulate, long at) {
    long blocks = blocks(x.count());
    if (blocks == 1) {
      fold(x, kind, out.address(), accumulate);
      return;
    }
    fold(x, kind, at, false);
    Span level = new Span(at, blocks * Float.BYTES, DType.F32);
    fold(level, next, next, out, accumulate, at + blocks * Float.BYTES);
  }

  /** Floats that the levels between so many values and the last take. */
  private static long room(long count) {
    long room = 0;
    for (long n = blocks(count); n > 1; n = blocks(n)) {
      room += n;
    }
    return room;
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
  public void columnSums(long rows, int columns, Span x, long ld, Sums sums) {
    columnSums.put(rows, columns, x, ld, null, 0, null, 1, sums);
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
