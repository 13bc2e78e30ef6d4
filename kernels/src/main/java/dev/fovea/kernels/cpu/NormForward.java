package dev.fovea.kernels.cpu;

import static dev.fovea.kernels.cpu.simd.Memory.ALL;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.fovea.kernels.Norm;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.cpu.simd.Simd;
import dev.fovea.kernels.cpu.simd.Streams;
import org.jspecify.annotations.Nullable;

/** {@link dev.fovea.kernels.NormKernels#forward}. */
final class NormForward extends NormGrid {
  private Span x = Spans.NONE;
  private long ldx;
  private @Nullable Span weight;
  private @Nullable Span bias;
  private Span y = Spans.NONE;
  private long ldy;
  private @Nullable Span stats;
  private @Nullable Streams streams;
  private long rowsPerBlock;

  NormForward(Simd simd) {
    super(simd);
  }

  void run(
      WorkerPool pool,
      Norm norm,
      Span x,
      long ldx,
      @Nullable Span weight,
      @Nullable Span bias,
      Span y,
      long ldy,
      @Nullable Span stats) {
    this.norm = norm;
    this.x = x;
    this.ldx = ldx;
    this.weight = weight;
    this.bias = bias;
    this.y = y;
    this.ldy = ldy;
    this.stats = stats;
    streams = x.dtype() == y.dtype() ? streams(x.dtype()) : null;
    rowsPerBlock = Math.max(1, PointwiseGrid.BLOCK / rowLength());
    pool.run(this, blocks(norm.rows(), rowsPerBlock));
  }

  @Override
  public void block(int index, Scratch scratch) {
    float[] scale = vector(weight, 1, WEIGHT, streams, scratch);
    float[] shift = vector(bias, 0, BIAS, streams, scratch);
    long first = index * rowsPerBlock;
    long end = Math.min(norm.rows(), first + rowsPerBlock);
    if (streams != null) {
      groups(streams, first * norm.groups(), end * norm.groups() - 1, scale, shift);
    } else {
      for (long r = first; r < end; r++) {
        stagedRow(r, scale, shift, scratch);
      }
    }
  }

  private void groups(Streams streams, long first, long last, float[] scale, float[] shift) {
    int width = norm.width();
    for (long group = first; group <= last; group++) {
      long from = address(x, ldx, group);
      long to = address(y, ldy, group);
      float mean = norm.centered() ? streams.sum(from, width) / width : 0;
      float rstd = rstd(streams.squaredDeviations(mean, from, width));
      streams.normalize(mean, rstd, from, scale, shift, to, width);
      keep(group, mean, rstd);
    }
  }

  private void stagedRow(long r, float[] scale, float[] shift, Scratch scratch) {
    int length = rowLength();
    float[] row = scratch.floats(X, length);
    staging.load(x, r * ldx, row, 0, length);
    for (int g = 0; g < norm.groups(); g++) {
      group(r * norm.groups() + g, row, g * norm.width(), scale, shift);
    }
    staging.store(row, 0, y, r * ldy, length);
  }

  private void group(long number, float[] row, int at, float[] scale, float[] shift) {
    int width = norm.width();
    float mean = norm.centered() ? arithmetic.sum(row, at, width) / width : 0;
    float rstd = rstd(arithmetic.squaredDeviations(mean, row, at, width));
    arithmetic.normalize(mean, rstd, row, at, scale, 0, shift, 0, row, at, width);
    keep(number, mean, rstd);
  }

  private float rstd(float squaredDeviations) {
    double variance = squaredDeviations / norm.width();
    return (float) (1 / Math.sqrt(variance + norm.eps()));
  }

  private void keep(long number, float mean, float rstd) {
    if (stats != null) {
      long address = stats.address() + 4 * number;
      ALL.set(JAVA_FLOAT, address, mean);
      ALL.set(JAVA_FLOAT, address + 4 * norm.rows() * norm.groups(), rstd);
    }
  }
}
