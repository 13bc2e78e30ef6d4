package dev.fovea.bench.kernel;

import dev.fovea.bench.peer.Matrices;
import dev.fovea.bench.peer.Work;
import dev.fovea.kernels.ImageKernels.Patches;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.cpu.CpuKernels;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** Between 8-bit pictures and rows of patches. */
public class ImageBenchmark extends KernelFamily {
  /** Model, pictures and pixels of a side. */
  @Param({"B/16 32x224", "So400m/14 32x224"})
  public String shape = "";

  @Override
  Work work(String kernel, CpuKernels kernels) {
    PaperShape size = PaperShape.of(shape);
    int side = size.tokens();
    int patch = Integer.parseInt(size.model().substring(size.model().indexOf('/') + 1));
    boolean back = kernel.equals("unpatchify");
    Patches patches = new Patches(size.batch(), 3, side, side, patch, patch, !back);
    long count = (long) size.batch() * patches.rows() * patches.columns() * patches.size();
    Span rows = back ? Matrices.random(count, 1) : Matrices.zeros(count);
    Span scale = Matrices.random(3, 2);
    Span shift = Matrices.random(3, 3);
    if (back) {
      Span pictures = Matrices.zeros((long) size.batch() * 3 * side * side);
      return Work.ofOurs(
          0, Work.traffic(4.0 * count, 4.0 * count), set -> set.image().unpatchify(patches, rows, pictures));
    }
    Span pictures = Matrices.bytes((long) size.batch() * 3 * side * side, 4);
    return Work.ofOurs(
        0, Work.traffic(count, 4.0 * count), set -> set.image().patchify(patches, pictures, scale, shift, rows));
  }

  /** Scaled and shifted on the way. */
  @Benchmark
  public void patchify() {
    call();
  }

  /** Its gradient. */
  @Benchmark
  public void unpatchify() {
    call();
  }
}
