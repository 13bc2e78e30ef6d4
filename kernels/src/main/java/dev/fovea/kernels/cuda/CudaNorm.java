package dev.fovea.kernels.cuda;

import dev.fovea.kernels.Norm;
import dev.fovea.kernels.NormKernels;
import dev.fovea.kernels.Span;
import org.jspecify.annotations.Nullable;

/** LayerNorm and RMSNorm on a GPU: {@code norm.cu}. */
final class CudaNorm implements NormKernels {
  private static final int THREADS = 256;
  private static final int WARPS = THREADS / 32;

  /** The widest group that one warp keeps in its registers. */
  private static final int WARP_WIDTH = 1024;

  private final CudaQueue queue;
  private final CudaKernel byWarp;
  private final CudaKernel byBlock;

  CudaNorm(CudaQueue queue) {
    this.queue = queue;
    CudaFamily family = queue.family("norm");
    byWarp = family.kernel("norm_forward_warp");
    byBlock = family.kernel("norm_forward_block");
  }

  @Override
  public void forward(
      Norm norm, Span x, long ldx, @Nullable Span weight, @Nullable Span bias, Span y, long ldy, @Nullable Span stats) {
    long groups = norm.rows() * norm.groups();
    boolean warp = norm.width() <= WARP_WIDTH;
    boolean quads = norm.groups() == 1 || norm.width() % CudaOperands.QUAD == 0;
    Launch launch =
        queue.launch().grid(warp ? Math.ceilDiv(groups, WARPS) : groups, 1, 1).block(THREADS, 1, 1);
    CudaOperands.matrix(launch, x, ldx, quads);
    CudaOperands.vector(launch, weight);
    CudaOperands.vector(launch, bias);
    CudaOperands.matrix(launch, y, ldy, quads);
    launch
        .pointer(CudaOperands.address(stats))
        .i64(norm.rows())
        .i32(norm.groups())
        .i32(norm.width())
        .f32(norm.eps())
        .i32(norm.centered() ? 1 : 0);
    queue.run(warp ? byWarp : byBlock, launch);
  }

  @Override
  public void backward(
      Norm norm,
      Span x,
      long ldx,
      @Nullable Span weight,
      Span stats,
      Span dy,
      long lddy,
      @Nullable Span add,
      Span dx,
      long lddx,
      @Nullable Span dWeight,
      @Nullable Span dBias) {
    throw queue.notYet("the gradient of " + (norm.centered() ? "LayerNorm" : "RMSNorm"));
  }
}
