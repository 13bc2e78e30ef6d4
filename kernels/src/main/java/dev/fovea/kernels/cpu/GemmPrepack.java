package dev.fovea.kernels.cpu;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.Layout;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.cpu.simd.Simd;

/** Packs B into native memory: all of k of one panel, then the next panel. */
final class GemmPrepack implements Grid {
  private static final int PIECE = 1;

  private final Staging staging;
  private final GemmOperand b;
  private Span packed = new Span(0, 0, DType.F32);
  private int panels;
  private int k;
  private int depth;

  GemmPrepack(Simd simd) {
    staging = new Staging(simd.convert());
    b = new GemmOperand(simd, staging, simd.tiles().columns());
  }

  void set(Layout layout, int n, int k, Span b, long ldb, Span packed) {
    this.b.set(b, ldb, null, 0, k, layout != Layout.NT, n);
    this.packed = packed;
    this.k = k;
    depth = GemmPlan.pieceDepth(layout, k);
    panels = Math.ceilDiv(n, this.b.width);
  }

  int count() {
    return b.groups(panels) * Math.ceilDiv(k, depth);
  }

  @Override
  public void block(int index, Scratch scratch) {
    int groups = b.groups(panels);
    int first = index % groups * b.groupPanels();
    int end = Math.min(panels, first + b.groupPanels());
    int begin = index / groups * depth;
    int steps = Math.min(depth, k - begin);
    int size = steps * b.width;
    float[] pieces = scratch.floats(PIECE, (end - first) * size);
    b.pack(first, end, begin, steps, pieces, 0, null, 0, scratch);
    for (int panel = first; panel < end; panel++) {
      staging.store(pieces, (panel - first) * size, packed, ((long) panel * k + begin) * b.width, size);
    }
  }
}
