package dev.fovea.kernels.cpu;

import dev.fovea.kernels.Gemm;
import dev.fovea.kernels.GemmKernels;
import dev.fovea.kernels.Layout;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.cpu.simd.Simd;

/** Matrix products by packed panels and register tiles, after Goto and van de Geijn (2008). */
final class CpuGemm implements GemmKernels {
  private final WorkerPool pool;
  private final Recycler<GemmLaunch> launches;
  private final Recycler<GemmPrepack> prepacks;
  private final int tileColumns;

  CpuGemm(WorkerPool pool, Simd simd) {
    this.pool = pool;
    tileColumns = simd.tiles().columns();
    launches = new Recycler<>(() -> new GemmLaunch(pool, simd));
    prepacks = new Recycler<>(() -> new GemmPrepack(simd));
  }

  @Override
  public void run(Gemm call) {
    GemmLaunch launch = launches.take();
    launch.run(call);
    launches.give(launch);
  }

  @Override
  public long packedBytes(Layout layout, int n, int k) {
    return 4L * Math.ceilDiv(n, tileColumns) * tileColumns * k;
  }

  @Override
  public void pack(Layout layout, int n, int k, Span b, long ldb, Span packed) {
    GemmPrepack prepack = prepacks.take();
    prepack.set(layout, n, k, b, ldb, packed);
    pool.run(prepack, prepack.count());
    prepacks.give(prepack);
  }
}
