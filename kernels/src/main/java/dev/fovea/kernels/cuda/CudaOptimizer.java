package dev.fovea.kernels.cuda;

import dev.fovea.kernels.OptimizerKernels;
import dev.fovea.kernels.Span;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Optimizer steps on a GPU: {@code optimizer.cu} and {@code adafactor.cu}. One launch moves as many tensors as its
 * table holds.
 */
final class CudaOptimizer implements OptimizerKernels {
  /** Entries of a launch's table, and bytes of an entry. */
  private static final int MOST = 510;

  private static final int PIECE_BYTES = 64;
  private static final int THREADS = 256;
  private static final long PER_BLOCK = 8192;

  private final CudaQueue queue;
  private final CudaKernel adamW;
  private final CudaKernel sgd;
  private final CudaKernel adafactor;
  private final CudaFactoredSteps factored;

  CudaOptimizer(CudaQueue queue) {
    this.queue = queue;
    CudaFamily family = queue.family("optimizer");
    adamW = family.kernel("adamw_step");
    sgd = family.kernel("sgd_step");
    adafactor = family.kernel("adafactor_step");
    factored = new CudaFactoredSteps(queue);
  }

  @Override
  public void adamW(AdamW h, @Nullable Span now, List<Piece> pieces, @Nullable Span gradientScale, Rounding rounding) {
    CudaSteps steps =
        new CudaSteps(now, gradientScale, h.values(rounding), rounding, h.beta1(), h.beta2(), h.eps(), 0, false);
    step(adamW, steps, pieces);
  }

  @Override
  public void sgd(Sgd h, @Nullable Span now, List<Piece> pieces, @Nullable Span gradientScale, Rounding rounding) {
    CudaSteps steps = new CudaSteps(
        now, gradientScale, h.values(rounding), rounding, h.momentum(), 0, 0, h.weightDecay(), h.nesterov());
    step(sgd, steps, pieces);
  }

  @Override
  public void adafactorUnfactored(
      Adafactor h, @Nullable Span now, List<Piece> pieces, @Nullable Span gradientScale, Rounding rounding) {
    step(adafactor, rule(h, now, gradientScale, rounding), pieces);
  }

  @Override
  public void adafactor(
      Adafactor h, @Nullable Span now, List<FactoredPiece> pieces, @Nullable Span gradientScale, Rounding rounding) {
    factored.run(rule(h, now, gradientScale, rounding), pieces);
  }

  private static CudaSteps rule(Adafactor h, @Nullable Span now, @Nullable Span gradientScale, Rounding rounding) {
    return new CudaSteps(now, gradientScale, h.values(rounding), rounding, h.momentum(), 0, h.eps(), 0, false);
  }

  private void step(CudaKernel kernel, CudaSteps steps, List<Piece> pieces) {
    for (int first = 0; first < pieces.size(); first += MOST) {
      int count = Math.min(MOST, pieces.size() - first);
      Launch launch = steps.begin(queue.launch(), first, count);
      long blocks = 0;
      for (Piece piece : pieces.subList(first, first + count)) {
        add(launch, piece, Math.toIntExact(blocks));
        blocks += Math.ceilDiv(piece.param().count(), PER_BLOCK);
      }
      launch.skip((MOST - count) * PIECE_BYTES);
      if (blocks > 0) {
        queue.run(kernel, launch.grid(blocks, 1, 1).block(THREADS, 1, 1));
      }
    }
  }

  private static void add(Launch launch, Piece piece, int firstBlock) {
    Span v = piece.v();
    int kinds = CudaSteps.kinds(piece.param(), piece.gradient(), piece.m(), piece.rounded(), true)
        | (v != null && CudaSteps.isQuads(v) ? CudaSteps.OTHER_QUADS : 0);
    launch
        .pointer(piece.param().address())
        .pointer(piece.gradient().address())
        .pointer(piece.m().address())
        .pointer(CudaOperands.address(v))
        .pointer(CudaOperands.address(piece.rounded()))
        .i64(piece.param().count())
        .f32(piece.rate())
        .f32(piece.decay())
        .i32(firstBlock)
        .i32(kinds);
  }
}
