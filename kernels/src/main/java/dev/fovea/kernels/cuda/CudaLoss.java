package dev.fovea.kernels.cuda;

import dev.fovea.kernels.LossKernels;
import dev.fovea.kernels.Span;
import org.jspecify.annotations.Nullable;

/** Losses on a GPU: {@code loss.cu}. */
final class CudaLoss implements LossKernels {
  private static final int THREADS = 256;
  private static final int WARPS = THREADS / 32;

  /** Most classes that one warp keeps in its registers. */
  private static final int WARP_CLASSES = 1024;

  /** A kernel for short rows and one for long ones. */
  private record Form(CudaKernel byWarp, CudaKernel byBlock) {
    static Form of(CudaFamily family, String name) {
      return new Form(family.kernel(name + "_warp"), family.kernel(name + "_block"));
    }
  }

  private final CudaQueue queue;
  private final Form softmax;
  private final Form softmaxCrossEntropy;
  private final Form sigmoidCrossEntropy;

  CudaLoss(CudaQueue queue) {
    this.queue = queue;
    CudaFamily family = queue.family("loss");
    softmax = Form.of(family, "softmax");
    softmaxCrossEntropy = Form.of(family, "softmax_cross_entropy");
    sigmoidCrossEntropy = Form.of(family, "sigmoid_cross_entropy");
  }

  @Override
  public void softmax(long rows, int classes, Span x, Span y) {
    run(softmax, rows, classes, 0, 1, null, x, null, null, null, y);
  }

  @Override
  public void softmaxCrossEntropy(
      long rows,
      int classes,
      float smoothing,
      float gradientScale,
      @Nullable Span gradient,
      Span logits,
      @Nullable Span labels,
      @Nullable Span targets,
      @Nullable Span losses,
      @Nullable Span dLogits) {
    run(
        softmaxCrossEntropy,
        rows,
        classes,
        smoothing,
        gradientScale,
        gradient,
        logits,
        labels,
        targets,
        losses,
        dLogits);
  }

  @Override
  public void sigmoidCrossEntropy(
      long rows,
      int classes,
      float smoothing,
      float gradientScale,
      @Nullable Span gradient,
      Span logits,
      @Nullable Span labels,
      @Nullable Span targets,
      @Nullable Span losses,
      @Nullable Span dLogits) {
    run(
        sigmoidCrossEntropy,
        rows,
        classes,
        smoothing,
        gradientScale,
        gradient,
        logits,
        labels,
        targets,
        losses,
        dLogits);
  }

  private void run(
      Form form,
      long rows,
      int classes,
      float smoothing,
      float gradientScale,
      @Nullable Span gradient,
      Span logits,
      @Nullable Span labels,
      @Nullable Span targets,
      @Nullable Span losses,
      @Nullable Span result) {
    boolean warp = classes <= WARP_CLASSES;
    Launch launch =
        queue.launch().grid(warp ? Math.ceilDiv(rows, WARPS) : rows, 1, 1).block(THREADS, 1, 1);
    CudaOperands.matrix(launch, logits, classes, true);
    CudaOperands.matrix(launch, result, classes, true);
    CudaOperands.matrix(launch, targets, classes, true);
    launch
        .pointer(CudaOperands.address(labels))
        .pointer(CudaOperands.address(losses))
        .pointer(CudaOperands.address(gradient))
        .i64(rows)
        .i32(classes)
        .i32(labels == null ? 0 : CudaOperands.code(labels.dtype()))
        .f32(smoothing)
        .f32(gradientScale);
    queue.run(warp ? form.byWarp : form.byBlock, launch);
  }
}
