package dev.fovea.kernels.cpu;

import dev.fovea.kernels.ImageKernels;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.cpu.simd.Simd;
import org.jspecify.annotations.Nullable;

/** Image kernels on CPU. */
final class CpuImage implements ImageKernels {
  private final WorkerPool pool;
  private final Recycler<Patchify> patchifies;
  private final Recycler<Unpatchify> unpatchifies;

  CpuImage(WorkerPool pool, Simd simd) {
    this.pool = pool;
    patchifies = new Recycler<>(() -> new Patchify(simd));
    unpatchifies = new Recycler<>(() -> new Unpatchify(simd));
  }

  @Override
  public void patchify(Patches patches, Span pictures, @Nullable Span scale, @Nullable Span shift, Span out) {
    Patchify launch = patchifies.take();
    launch.run(pool, patches, pictures, Spans.orNone(scale), Spans.orNone(shift), out);
    patchifies.give(launch);
  }

  @Override
  public void unpatchify(Patches patches, Span rows, Span pictures) {
    Unpatchify launch = unpatchifies.take();
    launch.run(pool, patches, rows, pictures);
    unpatchifies.give(launch);
  }
}
