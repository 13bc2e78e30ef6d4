package dev.fovea.kernels.cuda;

import dev.fovea.kernels.Norm;
import dev.fovea.kernels.NormKernels;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.Sums;
import org.jspecify.annotations.Nullable;

/** LayerNorm and RMSNorm on a GPU: {@code norm.cu} and {@code norm_backward.cu}. */
final class CudaNorm implements NormKernels {
  private static final int THREADS = 256;
  private static final int WARPS = THREADS / 32;

  /** The widest group that one warp keeps in its registers. */
  private static final int WARP_WIDTH = 1024;

  /** Backward: warps of a block, and blocks at most; the same on every GPU, since they fix the order of sums. */
  private static final int BACKWARD_WARPS = 4;

  private static final int MOST_STRETCHES = 384;

  /** For each side: one counter for its sets of blocks, and one for each set. */
  private static final int COUNTERS = 32;

  /** A backward kernel for groups up to so wide, and the shortest stretch of groups that is worth a block. */
  private record Form(int width, int leastGroups, int threads, CudaKernel kernel) {}

  private final CudaQueue queue;
  private final CudaKernel byWarp;
  private final CudaKernel byBlock;
  private final Form[] backward;

  CudaNorm(CudaQueue queue) {
    this.queue = queue;
    CudaFamily family = queue.family("norm");
    CudaFamily gradients = queue.family("norm_backward");
    byWarp = family.kernel("norm_forward_warp");
    byBlock = family.kernel("norm_forward_block");
    backward = new Form[] {
      new Form(128, BACKWARD_WARPS, BACKWARD_WARPS * 32, gradients.kernel("norm_backward_warp_128")),
      new Form(1024, BACKWARD_WARPS, BACKWARD_WARPS * 32, gradients.kernel("norm_backward_warp_1024")),
      new Form(2048, 2, THREADS, gradients.kernel("norm_backward_block_2048")),
      new Form(Integer.MAX_VALUE, 2, THREADS, gradients.kernel("norm_backward_block"))
    };
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
      @Nullable Sums dWeight,
      @Nullable Sums dBias) {
    launchBackward(norm, x, ldx, dy, lddy, add, dx, lddx, new Side(weight, stats, dWeight, dBias), null);
  }

  @Override
  public void backwardPair(
      Norm norm, Span x, long ldx, Side first, Side second, Span dy, long lddy, Span dx, long lddx) {
    launchBackward(norm, x, ldx, dy, lddy, null, dx, lddx, first, second);
  }

  private void launchBackward(
      Norm norm,
      Span x,
      long ldx,
      Span dy,
      long lddy,
      @Nullable Span add,
      Span dx,
      long lddx,
      Side first,
      @Nullable Side second) {
    Form form = form(norm.width());
    long groups = norm.rows() * norm.groups();
    long groupsPerBlock = Math.ceilDiv(groups, Math.min(MOST_STRETCHES, Math.ceilDiv(groups, form.leastGroups)));
    int blocks = (int) Math.ceilDiv(groups, groupsPerBlock);
    boolean quads = norm.groups() == 1 && second == null || norm.width() % CudaOperands.QUAD == 0;
    int sides = second == null ? 1 : 2;
    Launch launch = queue.launch().grid(blocks, sides, 1).block(form.threads, 1, 1);
    CudaOperands.matrix(launch, x, ldx, quads);
    CudaOperands.matrix(launch, dy, lddy, quads);
    CudaOperands.matrix(launch, add, lddx, quads);
    CudaOperands.matrix(launch, dx, lddx, quads);
    boolean sums = first.hasSums() || second != null && second.hasSums();
    long room = sums ? 2L * blocks * norm.width() * Float.BYTES : 0;
    long partial = sums ? queue.scratch(sides * room) : 0;
    long counters = queue.counters(sides * COUNTERS);
    side(launch, first, partial, counters);
    side(launch, second == null ? first : second, partial + room, counters + (long) COUNTERS * Integer.BYTES);
    launch
        .i64(norm.rows())
        .i64(groupsPerBlock)
        .i32(norm.groups())
        .i32(norm.width())
        .i32(norm.centered() ? 1 : 0)
        .i32((int) Math.ceil(Math.sqrt(blocks)));
    queue.run(form.kernel, launch);
  }

  private static void side(Launch launch, Side side, long partial, long counters) {
    CudaOperands.vector(launch, side.weight());
    launch.pointer(side.stats().address()).pointer(side.hasSums() ? partial : 0);
    CudaOperands.sums(launch, side.dWeight());
    CudaOperands.sums(launch, side.dBias());
    launch.pointer(counters);
  }

  private Form form(int width) {
    int i = 0;
    while (width > backward[i].width) {
      i++;
    }
    return backward[i];
  }
}
