package dev.fovea.kernels.cpu;

import static dev.fovea.kernels.cpu.simd.Memory.ALL;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.Norm;
import dev.fovea.kernels.NormKernels;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.Sums;
import dev.fovea.kernels.cpu.simd.Arithmetic;
import dev.fovea.kernels.cpu.simd.Simd;
import dev.fovea.kernels.cpu.simd.Streams;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * {@link NormKernels} on the CPU: a group is read from memory once and stays in the first-level cache for all passes
 * over it. Others than F32 are worked on in arrays. F32 is worked on where it lies, and passes over neighbouring groups
 * run in one loop, each a group ahead of the next: memory is read while there is arithmetic to do.
 */
final class CpuNorm implements NormKernels {
  private static final Span NOTHING = new Span(0, 0, DType.F32);
  private static final Norm NO_NORM = Norm.layer(1, 1, 0);

  // Scratch slots: what a row holds, then what a block reads once.
  private static final int X = 0;
  private static final int DY = 1;
  private static final int ADD = 2;
  private static final int WEIGHT = 3;
  private static final int BIAS = 4;
  private static final int SUMS = 5;
  private static final int UNUSED_GRADIENTS = 6;

  /** Scratch memory: a group of zeros. */
  private static final int ZEROS = 0;

  private final WorkerPool pool;
  private final Staging staging;
  private final Arithmetic arithmetic;
  private final Streams streams;
  private final Recycler<Forward> forwards = new Recycler<>(Forward::new);
  private final Recycler<Backward> backwards = new Recycler<>(Backward::new);

  CpuNorm(WorkerPool pool, Simd simd) {
    this.pool = pool;
    staging = new Staging(simd.convert());
    arithmetic = simd.arithmetic();
    streams = simd.streams();
  }

  @Override
  public void forward(
      Norm norm, Span x, long ldx, @Nullable Span weight, @Nullable Span bias, Span y, long ldy, @Nullable Span stats) {
    Forward grid = forwards.take();
    grid.norm = norm;
    grid.x = x;
    grid.ldx = ldx;
    grid.weight = weight;
    grid.bias = bias;
    grid.y = y;
    grid.ldy = ldy;
    grid.stats = stats;
    grid.rowsPerBlock = Math.max(1, PointwiseGrid.BLOCK / rowLength(norm));
    pool.run(grid, blocks(norm.rows(), grid.rowsPerBlock));
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
    Backward grid = backwards.take();
    grid.norm = norm;
    grid.x = x;
    grid.ldx = ldx;
    grid.weight = weight;
    grid.stats = stats;
    grid.dy = dy;
    grid.lddy = lddy;
    grid.add = add;
    grid.dx = dx;
    grid.lddx = lddx;
    grid.sum = dWeight != null || dBias != null;
    grid.rowsPerBlock = ColumnSums.rowsPerBlock(norm.rows(), rowLength(norm));
    int blocks = blocks(norm.rows(), grid.rowsPerBlock);
    if (grid.sum) {
      grid.sums.begin(blocks, 2 * norm.width());
    }
    pool.run(grid, blocks);
    if (dWeight != null) {
      grid.sums.put(pool, 0, norm.width(), dWeight);
    }
    if (dBias != null) {
      grid.sums.put(pool, norm.width(), norm.width(), dBias);
    }
    backwards.give(grid);
  }

  private static int blocks(long rows, long rowsPerBlock) {
    return Math.toIntExact((rows + rowsPerBlock - 1) / rowsPerBlock);
  }

  private static int rowLength(Norm norm) {
    return Math.multiplyExact(norm.groups(), norm.width());
  }

  /** The parameter vector, or {@code otherwise} in each place. */
  private float[] vector(@Nullable Span span, float otherwise, int slot, int width, Scratch scratch) {
    float[] values = scratch.floats(slot, width);
    if (span != null) {
      staging.load(span, 0, values, 0, width);
    } else {
      Arrays.fill(values, 0, width, otherwise);
    }
    return values;
  }

  private final class Forward implements Grid {
    private Norm norm = NO_NORM;
    private Span x = NOTHING;
    private long ldx;
    private @Nullable Span weight;
    private @Nullable Span bias;
    private Span y = NOTHING;
    private long ldy;
    private @Nullable Span stats;
    private long rowsPerBlock;

    @Override
    public void block(int index, Scratch scratch) {
      float[] scale = vector(weight, 1, WEIGHT, norm.width(), scratch);
      float[] shift = vector(bias, 0, BIAS, norm.width(), scratch);
      long first = index * rowsPerBlock;
      long end = Math.min(norm.rows(), first + rowsPerBlock);
      if (Spans.f32(x, y, y)) {
        groups(first * norm.groups(), end * norm.groups() - 1, scale, shift, scratch.floats(SUMS, 2));
      } else {
        for (long r = first; r < end; r++) {
          stagedRow(r, scale, shift, scratch);
        }
      }
    }

    /** At the end the passes ahead repeat the last group, and nobody looks at the result. */
    private void groups(long first, long last, float[] scale, float[] shift, float[] sums) {
      int width = norm.width();
      long from = address(x, ldx, first);
      float mean = mean(streams.sum(from, width));
      float rstd = rstd(streams.squaredDeviations(mean, from, width));
      long next = address(x, ldx, Math.min(first + 1, last));
      float nextMean = mean(streams.sum(next, width));
      for (long group = first; group <= last; group++) {
        long afterNext = address(x, ldx, Math.min(group + 2, last));
        long to = address(y, ldy, group);
        streams.normalizePipelined(mean, rstd, from, scale, shift, to, nextMean, next, afterNext, sums, width);
        keep(group, mean, rstd);
        from = next;
        mean = nextMean;
        rstd = rstd(sums[0]);
        next = afterNext;
        nextMean = mean(sums[1]);
      }
    }

    private float mean(float sum) {
      return norm.centered() ? sum / norm.width() : 0;
    }

    private long address(Span span, long ld, long group) {
      return span.address() + 4 * (group / norm.groups() * ld + group % norm.groups() * norm.width());
    }

    private void stagedRow(long r, float[] scale, float[] shift, Scratch scratch) {
      int length = rowLength(norm);
      float[] row = scratch.floats(X, length);
      staging.load(x, r * ldx, row, 0, length);
      for (int g = 0; g < norm.groups(); g++) {
        group(r * norm.groups() + g, row, g * norm.width(), scale, shift);
      }
      staging.store(row, 0, y, r * ldy, length);
    }

    private void group(long number, float[] row, int at, float[] scale, float[] shift) {
      int width = norm.width();
      float mean = mean(arithmetic.sum(row, at, width));
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

  private final class Backward implements Grid {
    private final ColumnSums sums = new ColumnSums(staging, arithmetic);
    private Norm norm = NO_NORM;
    private Span x = NOTHING;
    private long ldx;
    private @Nullable Span weight;
    private Span stats = NOTHING;
    private Span dy = NOTHING;
    private long lddy;
    private @Nullable Span add;
    private Span dx = NOTHING;
    private long lddx;
    private boolean sum;
    private long rowsPerBlock;

    @Override
    public void block(int index, Scratch scratch) {
      int width = norm.width();
      float[] scale = vector(weight, 1, WEIGHT, width, scratch);
      float[] gradients = sum ? sums.parts() : scratch.floats(UNUSED_GRADIENTS, 2 * width);
      int gradientsAt = sum ? sums.at(index) : 0;
      Arrays.fill(gradients, gradientsAt, gradientsAt + 2 * width, 0f);
      boolean inPlace = Spans.f32(x, dy, dx) && (add == null || add.dtype() == DType.F32);
      long first = index * rowsPerBlock;
      long end = Math.min(norm.rows(), first + rowsPerBlock);
      if (inPlace) {
        long zeros = add == null ? zeros(width, scratch) : 0;
        float[] totals = scratch.floats(SUMS, 2);
        groups(first * norm.groups(), end * norm.groups() - 1, zeros, scale, gradients, gradientsAt, totals);
      } else {
        for (long r = first; r < end; r++) {
          stagedRow(r, scale, gradients, gradientsAt, scratch);
        }
      }
    }

    private static long zeros(int width, Scratch scratch) {
      long address = scratch.memory(ZEROS, 4L * width);
      for (int i = 0; i < width; i++) {
        ALL.set(JAVA_FLOAT, address + 4L * i, 0f);
      }
      return address;
    }

    private void groups(
        long first, long last, long zeros, float[] scale, float[] gradients, int gradientsAt, float[] totals) {
      int width = norm.width();
      int biasAt = gradientsAt + width;
      float mean = mean(first);
      float rstd = rstd(first);
      long from = address(x, ldx, first);
      long slope = address(dy, lddy, first);
      streams.normGradientSums(mean, rstd, from, slope, scale, gradients, gradientsAt, biasAt, totals, width);
      for (long group = first; group < last; group++) {
        float meanG = norm.centered() ? totals[0] / width : 0;
        float meanGn = totals[1] / width;
        float nextMean = mean(group + 1);
        float nextRstd = rstd(group + 1);
        long added = add == null ? zeros : address(add, lddx, group);
        long to = address(dx, lddx, group);
        long nextFrom = address(x, ldx, group + 1);
        long nextSlope = address(dy, lddy, group + 1);
        streams.normGradientPipelined(
            mean,
            rstd,
            meanG,
            meanGn,
            from,
            slope,
            scale,
            added,
            to,
            nextMean,
            nextRstd,
            nextFrom,
            nextSlope,
            gradients,
            gradientsAt,
            biasAt,
            totals,
            width);
        mean = nextMean;
        rstd = nextRstd;
        from = nextFrom;
        slope = nextSlope;
      }
      float meanG = norm.centered() ? totals[0] / width : 0;
      long added = add == null ? zeros : address(add, lddx, last);
      long to = address(dx, lddx, last);
      streams.normGradient(mean, rstd, meanG, totals[1] / width, from, slope, scale, added, to, width);
    }

    private long address(Span span, long ld, long group) {
      return span.address() + 4 * (group / norm.groups() * ld + group % norm.groups() * norm.width());
    }

    private void stagedRow(long r, float[] scale, float[] gradients, int gradientsAt, Scratch scratch) {
      int width = norm.width();
      int length = rowLength(norm);
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
}
