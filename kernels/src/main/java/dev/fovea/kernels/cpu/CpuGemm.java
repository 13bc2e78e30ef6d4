package dev.fovea.kernels.cpu;

import dev.fovea.kernels.Gemm;
import dev.fovea.kernels.GemmKernels;
import dev.fovea.kernels.Layout;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.Sums;
import dev.fovea.kernels.cpu.simd.Simd;

/** Matrix products by packed panels and register tiles, after Goto and van de Geijn (2008). */
final class CpuGemm implements GemmKernels {
  private final WorkerPool pool;
  private final Recycler<GemmLaunch> launches;
  private final Recycler<GemmPrepack> prepacks;
  private final Recycler<GemmGate> gates;
  private final int tileColumns;

  CpuGemm(WorkerPool pool, Simd simd) {
    this.pool = pool;
    tileColumns = simd.tiles().columns();
    launches = new Recycler<>(() -> new GemmLaunch(pool, simd));
    prepacks = new Recycler<>(() -> new GemmPrepack(simd));
    gates = new Recycler<>(() -> new GemmGate(simd));
  }

  @Override
  public void run(Gemm call) {
    if (call.layout == Layout.TN && (call.a2() != null || call.b2() != null)) {
      rows(call, 0, call.splitM(), call.a(), call.lda());
      if (call.a2() != null) {
        rows(call, call.splitM(), call.m, call.a2(), call.lda2());
      }
    } else {
      launch(call);
    }
    if (call.gated()) {
      GemmGate gate = gates.take();
      gate.run(pool, call);
      gates.give(gate);
    }
  }

  /** The rows [row, end) of a product of operands in parts, for which A is {@code a}. */
  private void rows(Gemm call, int row, int end, Span a, long lda) {
    part(call, row, end, 0, call.splitB(), a, lda, call.b(), call.ldb());
    if (call.b2() != null) {
      part(call, row, end, call.splitB(), call.n, a, lda, call.b2(), call.ldb2());
    }
  }

  private void part(Gemm call, int row, int endRow, int column, int endColumn, Span a, long lda, Span b, long ldb) {
    Sums sums = column == 0 ? call.operandSums() : null;
    launch(new Gemm(Layout.TN, endRow - row, endColumn - column, call.k)
        .alpha(call.alpha())
        .accumulate(call.accumulate())
        .a(a, lda)
        .b(b, ldb)
        .c(call.c().from(row * call.ldc() + column), call.ldc())
        .operandSums(sums == null ? null : sums.slice(row, endRow - row)));
  }

  private void launch(Gemm call) {
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
