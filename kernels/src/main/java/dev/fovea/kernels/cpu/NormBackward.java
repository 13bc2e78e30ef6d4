package dev.fovea.kernels.cpu;

import static dev.fovea.kernels.cpu.simd.Memory.ALL;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.fovea.kernels.Norm;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.Sums;
import dev.fovea.kernels.cpu.simd.Simd;
import dev.fovea.kernels.cpu.simd.Streams;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** {@link dev.fovea.kernels.NormKernels#backward}. */
final class NormBackward extends NormGrid {
  /** Scratch memory: a vector of zeros, the weights, and their sums. */
  private static final int SHARED = 0;

  /** Floats of the widest vector. A group of zeros to add would take room in the first-level cache. */
  private static final int VECTOR = 16;

  private final ColumnSums sums = new ColumnSums(staging, arithmetic);
  private Span x = Spans.NONE;
  private long ldx;
  private @Nullable Span weight;
  private Span stats = Spans.NONE;
  private Span dy = Spans.NONE;
  private long lddy;
  private @Nullable Span add;
  private Span dx = Spans.NONE;
  private long lddx;
  private boolean sum;
  private @Nullable Streams streams;
  private long rowsPerBlock;

  NormBackward(Simd simd) {
    super(simd);
  }

  void run(
      WorkerPool pool,
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
    this.norm = norm;
    this.x = x;
    this.ldx = ldx;
    this.weight = weight;
    this.stats = stats;
    this.dy = dy;
    this.lddy = lddy;
    this.add = add;
    this.dx = dx;
    this.lddx = lddx;
    streams = Spans.same(x, dy, dx) && (add == null || add.dtype() == x.dtype()) ? streams(x.dtype()) : null;
    sum = dWeight != null || dBias != null;
    rowsPerBlock = ColumnSums.rowsPerBlock(norm.rows(), rowLength());
    int blocks = blocks(norm.rows(), rowsPerBlock);
    if (sum) {
      sums.begin(blocks, 2 * norm.width());
    }
    pool.run(this, blocks);
    if (dWeight != null) {
      sums.put(pool, 0, norm.width(), dWeight);
    }
    if (dBias != null) {
      sums.put(pool, norm.width(), norm.width(), dBias);
    }
  }

  @Override
  public void block(int index, Scratch scratch) {
    int width = norm.width();
    float[] scale = vector(weight, 1, WEIGHT, streams, scratch);
    float[] gradients = sum ? sums.parts() : scratch.floats(UNUSED_GRADIENTS, 2 * width);
    int gradientsAt = sum ? sums.at(index) : 0;
    Arrays.fill(gradients, gradientsAt, gradientsAt + 2 * width, 0f);
    long first = index * rowsPerBlock;
    long end = Math.min(norm.rows(), first + rowsPerBlock);
    if (streams != null) {
      groups(streams, first * norm.groups(), end * norm.groups() - 1, scale, gradients, gradientsAt, scratch);
    } else {
      for (long r = first; r < end; r++) {
        stagedRow(r, scale, gradients, gradientsAt, scratch);
      }
    }
  }

  /** What all groups share lies in memory meanwhile: in an array, vectors would straddle lines. */
  private void groups(
      Streams streams, long first, long last, float[] weights, float[] gradients, int gradientsAt, Scratch scratch) {
    int width = norm.width();
    long bytes = 4L * width;
    long zeros = scratch.memory(SHARED, 4L * VECTOR + 3 * bytes);
    long scale = zeros + 4L * VECTOR;
    long dWeight = scale + bytes;
    long dBias = dWeight + bytes;
    for (int i = 0; i < VECTOR; i++) {
      ALL.set(JAVA_FLOAT, zeros + 4L * i, 0f);
    }
    MemorySegment.copy(weights, 0, ALL, JAVA_FLOAT, scale, width);
    MemorySegment.copy(gradients, gradientsAt, ALL, JAVA_FLOAT, dWeight, 2 * width);
    float[] totals = scratch.floats(SUMS, 2);
    int addStep = add == null ? 0 : add.dtype().bytes();
    for (long group = first; group <= last; group++) {
      float mean = mean(group);
      float rstd = rstd(group);
      long from = address(x, ldx, group);
      long slope = address(dy, lddy, group);
      long added = add == null ? zeros : address(add, lddx, group);
      long to = address(dx, lddx, group);
      streams.normGradientSums(mean, rstd, from, slope, scale, totals, width);
      float meanG = norm.centered() ? totals[0] / width : 0;
      float meanGn = totals[1] / width;
      streams.normGradient(mean, rstd, meanG, meanGn, from, slope, scale, dWeight, dBias, added, addStep, to, width);
    }
    MemorySegment.copy(ALL, JAVA_FLOAT, dWeight, gradients, gradientsAt, 2 * width);
    streams.restore(gradients, gradientsAt, 2 * width);
  }

  private void stagedRow(long r, float[] scale, float[] gradients, int gradientsAt, Scratch scratch) {
    int width = norm.width();
    int length = rowLength();
    float[] row = scratch.floats(X, length);
    float[] slope = scratch.floats(DY, length);
    float[] added = add == null ? scratch.zeros(ADD, length) : scratch.floats(ADD, length);
    float[] totals = scratch.floats(SUMS, 2);
    staging.load(x, r * ldx, row, 0, length);
    staging.load(dy, r * lddy, slope, 0, length);
    if (add != null) {
      staging.load(add, r * lddx, added, 0, length);
    }
    for (int g = 0; g < norm.groups(); g++) {
      group(r * norm.groups() + g, row, slope, added, g * width, scale, gradients, gradientsAt, totals);
    }
    staging.store(slope, 0, dx, r * lddx, length);
  }

  private void group(
      long number,
      float[] row,
      float[] slope,
      float[] added,
      int at,
      float[] scale,
      float[] gradients,
      int gradientsAt,
      float[] totals) {
    int width = norm.width();
    float mean = mean(number);
    float rstd = rstd(number);
    arithmetic.normGradientSums(
        mean, rstd, row, at, slope, at, scale, 0, gradients, gradientsAt, gradientsAt + width, totals, 0, width);
    float meanG = norm.centered() ? totals[0] / width : 0;
    arithmetic.normGradient(meanG, totals[1] / width, rstd, row, at, slope, at, added, at, slope, at, width);
  }

  private float mean(long number) {
    return norm.centered() ? ALL.get(JAVA_FLOAT, stats.address() + 4 * number) : 0;
  }

  private float rstd(long number) {
    return ALL.get(JAVA_FLOAT, stats.address() + 4 * (norm.rows() * norm.groups() + number));
  }
}
