package dev.fovea.kernels.cuda;

import dev.fovea.kernels.ImageKernels;
import dev.fovea.kernels.Span;
import org.jspecify.annotations.Nullable;

/** Pictures and patches on a GPU: {@code image.cu}. */
final class CudaImage implements ImageKernels {
  private static final int THREADS = 256;

  private final CudaQueue queue;
  private final CudaKernel patchify;
  private final CudaKernel unpatchify;

  CudaImage(CudaQueue queue) {
    this.queue = queue;
    CudaFamily family = queue.family("image");
    patchify = family.kernel("patchify");
    unpatchify = family.kernel("unpatchify");
  }

  @Override
  public void patchify(Patches patches, Span pictures, @Nullable Span scale, @Nullable Span shift, Span out) {
    long blocks = (long) patches.batch() * patches.rows() * patches.columns();
    run(patchify, blocks, patches, pictures, out, scale, shift);
  }

  @Override
  public void unpatchify(Patches patches, Span rows, Span pictures) {
    long pixels = (long) patches.batch() * patches.channels() * patches.height() * patches.width();
    run(unpatchify, (pixels + THREADS - 1) / THREADS, patches, pictures, rows, null, null);
  }

  private void run(
      CudaKernel kernel,
      long blocks,
      Patches patches,
      Span pictures,
      Span rows,
      @Nullable Span scale,
      @Nullable Span shift) {
    Launch launch = queue.launch().grid(blocks, 1, 1).block(THREADS, 1, 1);
    CudaOperands.vector(launch, pictures);
    CudaOperands.matrix(launch, rows, patches.size(), true);
    launch
        .pointer(CudaOperands.address(scale))
        .pointer(CudaOperands.address(shift))
        .i32(patches.batch())
        .i32(patches.channels())
        .i32(patches.height())
        .i32(patches.width())
        .i32(patches.patchHeight())
        .i32(patches.patchWidth())
        .i32(patches.channelsLast() ? 1 : 0)
        .i32(0);
    queue.run(kernel, launch);
  }
}
