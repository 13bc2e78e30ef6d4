package dev.fovea.kernels.cuda;

import dev.fovea.kernels.Span;
import dev.fovea.kernels.Sums;
import dev.fovea.kernels.TokenKernels;
import org.jspecify.annotations.Nullable;

/** Moving, picking and pooling tokens on a GPU: {@code token.cu}. */
final class CudaToken implements TokenKernels {
  private static final int THREADS = 256;
  private static final int POOLED_COLUMNS = 128;

  private final CudaQueue queue;
  private final CudaKernel assemble;
  private final CudaKernel assembleGradient;
  private final CudaKernel gather;
  private final CudaKernel scatterAdd;
  private final CudaKernel meanPool;
  private final CudaKernel meanPoolGradient;

  CudaToken(CudaQueue queue) {
    this.queue = queue;
    CudaFamily family = queue.family("token");
    assemble = family.kernel("assemble");
    assembleGradient = family.kernel("assemble_gradient");
    gather = family.kernel("gather");
    scatterAdd = family.kernel("scatter_add");
    meanPool = family.kernel("mean_pool");
    meanPoolGradient = family.kernel("mean_pool_gradient");
  }

  @Override
  public void assemble(
      int batch,
      int prefixes,
      int patchCount,
      int width,
      Span patches,
      @Nullable Span prefix,
      @Nullable Span positions,
      Span out) {
    Launch launch = CudaRows.shape(queue, queue.launch(), (long) batch * (prefixes + patchCount), width);
    sequences(launch, batch, prefixes, patchCount, width, patches, prefix, positions, out);
    launch.i32(0).i32(0).i32(0);
    queue.run(assemble, launch);
  }

  @Override
  public void assembleGradient(
      int batch,
      int prefixes,
      int patchCount,
      int width,
      Span dOut,
      @Nullable Span dPatches,
      @Nullable Sums dPrefix,
      @Nullable Sums dPositions) {
    int across = CudaRows.across(width);
    int down = THREADS / across;
    int tokens = prefixes + patchCount;
    Launch launch = queue.launch().grid(Math.ceilDiv(tokens, down), 1, 1).block(across, down, 1);
    Span prefix = Sums.spanOf(dPrefix);
    Span positions = Sums.spanOf(dPositions);
    sequences(launch, batch, prefixes, patchCount, width, dPatches, prefix, positions, dOut);
    launch
        .i32(dPrefix != null && dPrefix.add() ? 1 : 0)
        .i32(dPositions != null && dPositions.add() ? 1 : 0)
        .i32(0);
    queue.run(assembleGradient, launch);
  }

  private static void sequences(
      Launch launch,
      int batch,
      int prefixes,
      int patchCount,
      int width,
      @Nullable Span patches,
      @Nullable Span prefix,
      @Nullable Span positions,
      Span out) {
    CudaOperands.matrix(launch, patches, width, true);
    CudaOperands.matrix(launch, prefixes == 0 ? null : prefix, width, true);
    CudaOperands.matrix(launch, positions, width, true);
    CudaOperands.matrix(launch, out, width, true);
    boolean all = positions != null && positions.count() == (long) (prefixes + patchCount) * width;
    launch.i32(batch).i32(prefixes).i32(patchCount).i32(width).i32(all ? 0 : prefixes);
  }

  @Override
  public void gather(long rows, int width, Span x, Span index, Span out) {
    if (rows == 0) {
      return;
    }
    long rowBytes = (long) width * x.dtype().bytes();
    int unit = (int) Math.min(16, Long.lowestOneBit(x.address() | out.address() | rowBytes));
    long units = rowBytes / unit;
    Launch launch = CudaRows.shape(queue, queue.launch(), rows, units * CudaOperands.QUAD)
        .pointer(x.address())
        .pointer(out.address())
        .pointer(index.address())
        .i64(rows)
        .i64(units)
        .i32(unit)
        .i32(0);
    queue.run(gather, launch);
  }

  @Override
  public void scatterAdd(long rows, int width, Span x, Span index, Span out) {
    if (rows == 0) {
      return;
    }
    Launch launch = queue.launch().grid(out.count() / width, 1, 1).block(THREADS, 1, 1);
    CudaOperands.matrix(launch, x, width, true);
    CudaOperands.matrix(launch, out, width, true);
    launch.pointer(index.address()).i64(rows).i32(width).i32(0);
    queue.run(scatterAdd, launch);
  }

  @Override
  public void meanPool(int batch, int tokens, int width, int first, Span x, @Nullable Span lengths, Span out) {
    long blocks = (long) batch * Math.ceilDiv(width, POOLED_COLUMNS);
    Launch launch = queue.launch().grid(blocks, 1, 1).block(THREADS, 1, 1);
    pool(launch, batch, tokens, width, first, x, lengths, out);
    queue.run(meanPool, launch);
  }

  @Override
  public void meanPoolGradient(
      int batch, int tokens, int width, int first, Span dOut, @Nullable Span lengths, Span dx) {
    Launch launch = CudaRows.shape(queue, queue.launch(), (long) batch * tokens, width);
    pool(launch, batch, tokens, width, first, dx, lengths, dOut);
    queue.run(meanPoolGradient, launch);
  }

  private static void pool(
      Launch launch, int batch, int tokens, int width, int first, Span x, @Nullable Span lengths, Span out) {
    CudaOperands.matrix(launch, x, width, true);
    CudaOperands.matrix(launch, out, width, true);
    launch
        .pointer(CudaOperands.address(lengths))
        .i32(batch)
        .i32(tokens)
        .i32(width)
        .i32(first);
  }
}
