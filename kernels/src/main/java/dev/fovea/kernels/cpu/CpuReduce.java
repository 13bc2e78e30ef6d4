package dev.fovea.kernels.cpu;

import static dev.fovea.kernels.cpu.simd.Memory.ALL;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.fovea.kernels.ReduceKernels;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.Sums;
import dev.fovea.kernels.cpu.simd.Reductions;
import dev.fovea.kernels.cpu.simd.Simd;
import java.util.Arrays;
import java.util.List;

/** Reductions on CPU: one partial result per chunk of fixed size, then the partial results in order. */
final class CpuReduce implements ReduceKernels {
  private final WorkerPool pool;
  private final Recycler<Fold> folds;
  private final Recycler<ColumnSums> columnSums;

  CpuReduce(WorkerPool pool, Simd simd) {
    this.pool = pool;
    Staging staging = new Staging(simd.convert());
    folds = new Recycler<>(() -> new Fold(staging, simd.reductions()));
    columnSums = new Recycler<>(() -> new ColumnSums(staging, simd.reductions()));
  }

  /** What {@link Fold} takes together. */
  private enum Operation {
    SUM,
    SUM_OF_SQUARES,
    MAX_ABS
  }

  @Override
  public void sum(Span x, Span out) {
    ALL.set(JAVA_FLOAT, out.address(), fold(Operation.SUM, x));
  }

  @Override
  public void sumOfSquares(Span x, Span out) {
    float sum = fold(Operation.SUM_OF_SQUARES, x);
    ALL.set(JAVA_FLOAT, out.address(), ALL.get(JAVA_FLOAT, out.address()) + sum);
  }

  @Override
  public void sumOfSquares(List<Span> xs, Span out) {
    for (int i = 0; i < xs.size(); i++) {
      sumOfSquares(xs.get(i), out);
    }
  }

  @Override
  public void maxAbs(Span x, Span out) {
    ALL.set(JAVA_FLOAT, out.address(), fold(Operation.MAX_ABS, x));
  }

  private float fold(Operation operation, Span x) {
    Fold fold = folds.take();
    float result = fold.run(pool, operation, x);
    folds.give(fold);
    return result;
  }

  @Override
  public void columnSums(long rows, int columns, Span x, long ld, Sums sums) {
    ColumnSums launch = columnSums.take();
    launch.run(pool, rows, columns, x, ld, sums);
    columnSums.give(launch);
  }

  @Override
  public void clipFactor(Span sumOfSquares, float maxNorm, Span out) {
    float squares = ALL.get(JAVA_FLOAT, sumOfSquares.address());
    float factor = squares == 0 ? 1 : (float) Math.min(1, maxNorm / Math.sqrt(squares));
    ALL.set(JAVA_FLOAT, out.address(), factor);
  }

  /** One number from all elements. */
  private static final class Fold implements Grid {
    private static final int CHUNK = 1024;
    private static final int CHUNKS_PER_BLOCK = 128;

    private final Staging staging;
    private final Reductions reductions;
    private Operation operation = Operation.SUM;
    private Span x = Spans.NONE;
    private float[] partials = {};
    private int chunks;

    Fold(Staging staging, Reductions reductions) {
      this.staging = staging;
      this.reductions = reductions;
    }

    float run(WorkerPool pool, Operation operation, Span x) {
      this.operation = operation;
      this.x = x;
      chunks = Math.toIntExact((x.count() + CHUNK - 1) / CHUNK);
      if (partials.length < chunks) {
        partials = new float[chunks];
      }
      pool.run(this, (chunks + CHUNKS_PER_BLOCK - 1) / CHUNKS_PER_BLOCK);
      return operation == Operation.MAX_ABS
          ? reductions.maxAbs(partials, 0, chunks)
          : reductions.sum(partials, 0, chunks);
    }

    @Override
    public void block(int index, Scratch scratch) {
      float[] values = scratch.floats(0, CHUNK);
      int end = Math.min(chunks, (index + 1) * CHUNKS_PER_BLOCK);
      for (int chunk = index * CHUNKS_PER_BLOCK; chunk < end; chunk++) {
        long first = (long) chunk * CHUNK;
        int count = (int) Math.min(CHUNK, x.count() - first);
        staging.load(x, first, values, 0, count);
        partials[chunk] = switch (operation) {
          case SUM -> reductions.sum(values, 0, count);
          case SUM_OF_SQUARES -> reductions.sumOfSquares(values, 0, count);
          case MAX_ABS -> reductions.maxAbs(values, 0, count);
        };
      }
    }
  }

  /** Sums over rows: a block takes a strip of columns of some rows, and leaves a row of partial sums. */
  private static final class ColumnSums implements Grid {
    private static final int STRIP = 16384;
    private static final int STAGED = 1024;
    private static final int BLOCK = 1 << 17;
    private static final int MAX_PARTS = 128;

    private final Staging staging;
    private final Reductions reductions;
    private long rows;
    private int columns;
    private Span x = Spans.NONE;
    private long ld;
    private float[] partials = {};
    private int strips;
    private long rowsPerPart;

    ColumnSums(Staging staging, Reductions reductions) {
      this.staging = staging;
      this.reductions = reductions;
    }

    void run(WorkerPool pool, long rows, int columns, Span x, long ld, Sums sums) {
      this.rows = rows;
      this.columns = columns;
      this.x = x;
      this.ld = ld;
      strips = (columns + STRIP - 1) / STRIP;
      int strip = Math.min(columns, STRIP);
      int maxParts = Math.max(1, MAX_PARTS / strips);
      rowsPerPart = Math.max((rows + maxParts - 1) / maxParts, (BLOCK + strip - 1) / strip);
      int parts = (int) ((rows + rowsPerPart - 1) / rowsPerPart);
      int length = Math.multiplyExact(parts, columns);
      if (partials.length < length) {
        partials = new float[length];
      }
      Arrays.fill(partials, 0, length, 0f);
      pool.run(this, parts * strips);
      for (int part = 1; part < parts; part++) {
        reductions.add(partials, part * columns, partials, 0, columns);
      }
      for (int c = 0; c < columns; c++) {
        long address = sums.span().address() + 4L * c;
        float before = sums.add() ? ALL.get(JAVA_FLOAT, address) : 0;
        ALL.set(JAVA_FLOAT, address, before + partials[c]);
      }
    }

    @Override
    public void block(int index, Scratch scratch) {
      int part = index / strips;
      int first = index % strips * STRIP;
      int last = Math.min(columns, first + STRIP);
      float[] values = scratch.floats(0, STAGED);
      int staged = Math.max(1, STAGED / columns);
      long end = Math.min(rows, (part + 1) * rowsPerPart);
      for (long row = part * rowsPerPart; row < end; row += staged) {
        int count = (int) Math.min(staged, end - row);
        for (int column = first; column < last; column += STAGED) {
          int width = Math.min(STAGED, last - column);
          load(row, count, column, width, values);
          reductions.columnSums(values, 0, count, width, partials, part * columns + column);
        }
      }
    }

    private void load(long row, int count, int column, int width, float[] to) {
      if (width == ld) {
        staging.load(x, row * ld, to, 0, count * width);
        return;
      }
      for (int r = 0; r < count; r++) {
        staging.load(x, (row + r) * ld + column, to, r * width, width);
      }
    }
  }
}
