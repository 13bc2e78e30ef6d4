package dev.fovea.kernels.cpu;

import dev.fovea.kernels.Norm;
import dev.fovea.kernels.NormKernels;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.Sums;
import dev.fovea.kernels.cpu.simd.Simd;
import org.jspecify.annotations.Nullable;

/** {@link NormKernels} on the CPU. */
final class CpuNorm implements NormKernels {
  private final WorkerPool pool;
  private final Recycler<NormForward> forwards;
  private final Recycler<NormBackward> backwards;

  CpuNorm(WorkerPool pool, Simd simd) {
    this.pool = pool;
    forwards = new Recycler<>(() -> new NormForward(simd));
    backwards = new Recycler<>(() -> new NormBackward(simd));
  }

  @Override
  public void forward(
      Norm norm, Span x, long ldx, @Nullable Span weight, @Nullable Span bias, Span y, long ldy, @Nullable Span stats) {
    NormForward grid = forwards.take();
    grid.run(pool, norm, x, ldx, weight, bias, y, ldy, stats);
    forwards.give(grid);
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
    NormBackward grid = backwards.take();
    grid.run(pool, norm, x, ldx, weight, stats, dy, lddy, add, dx, lddx, dWeight, dBias);
    backwards.give(grid);
  }
}
