package dev.fovea.kernels.cpu;

import static dev.fovea.kernels.cpu.simd.Memory.ALL;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.fovea.kernels.OptimizerKernels.Adafactor;
import dev.fovea.kernels.OptimizerKernels.Factors;
import dev.fovea.kernels.OptimizerKernels.Rounding;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.cpu.simd.Reductions;
import dev.fovea.kernels.cpu.simd.Simd;
import dev.fovea.kernels.cpu.simd.Updates;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * One step of Adafactor with a factored second moment: a first launch takes the means of squared gradients over rows
 * and columns, a second one updates. A block is a strip of whole rows of one matrix in both.
 */
final class FactoredStep implements Grid {
  private static final int CHUNK = Chunks.CHUNK;
  private static final int BLOCK = 32 * CHUNK;
  /** Bounds the room for partial sums of columns. */
  private static final int MAX_STRIPS = 64;

  private final Updates updates;
  private final Reductions reductions;
  private final InPlace memory;

  private final AdafactorUpdate adafactor = new AdafactorUpdate();

  private boolean updating;
  private int rows;
  private int columns;
  private long batchStride;
  private long rowStride;
  private int strips;
  private int rowsPerStrip;

  private Span param = Spans.NONE;
  private Span gradient = Spans.NONE;
  private Span vRow = Spans.NONE;
  private Span m = Spans.NONE;
  private @Nullable Span rounded;
  private Rounding rounding = Rounding.NEAREST;
  private float scale;
  private float beta2;
  private float eps;

  /** Sums of squares over a strip's rows, one row of columns per block. */
  private float[] partials = {};
  /** What the second launch multiplies with: [batch, rows] and [batch, columns]. */
  private float[] rowFactors = {};

  private float[] columnFactors = {};

  FactoredStep(Simd simd) {
    updates = simd.updates();
    reductions = simd.reductions();
    memory = new InPlace(simd);
  }

  void rule(Adafactor h, float learningRate, float itsBeta2, float decay) {
    beta2 = itsBeta2;
    eps = h.eps();
    adafactor.set(h, learningRate, decay);
  }

  void run(
      WorkerPool pool,
      Factors factors,
      Span param,
      Span gradient,
      @Nullable Span gradientScale,
      Span vRow,
      Span vColumn,
      Span m,
      Rounding rounding,
      @Nullable Span rounded) {
    this.param = param;
    this.gradient = gradient;
    this.vRow = vRow;
    this.m = m;
    this.rounding = rounding;
    this.rounded = rounded;
    scale = OptimizerStep.scale(gradientScale);
    adafactor.moment(m);
    split(factors);
    updating = false;
    pool.run(this, factors.batch() * strips);
    for (int b = 0; b < factors.batch(); b++) {
      factorRows(b);
      factorColumns(b, vColumn);
    }
    updating = true;
    pool.run(this, factors.batch() * strips);
  }

  private void split(Factors factors) {
    int batch = factors.batch();
    rows = factors.rows();
    columns = factors.columns();
    batchStride = factors.batchStride();
    rowStride = factors.rowStride();
    rowsPerStrip = Math.max((rows + MAX_STRIPS - 1) / MAX_STRIPS, (BLOCK + columns - 1) / columns);
    strips = (rows + rowsPerStrip - 1) / rowsPerStrip;
    partials = grown(partials, Math.multiplyExact(batch * strips, columns));
    rowFactors = grown(rowFactors, Math.multiplyExact(batch, rows));
    columnFactors = grown(columnFactors, Math.multiplyExact(batch, columns));
  }

  private static float[] grown(float[] array, int length) {
    return array.length >= length ? array : new float[length];
  }

  /** {@code 1 / sqrt(vRow / mean(vRow))}. */
  private void factorRows(int b) {
    double sum = 0;
    for (int r = 0; r < rows; r++) {
      sum += rowFactors[b * rows + r];
    }
    float mean = (float) (sum / rows);
    for (int r = 0; r < rows; r++) {
      rowFactors[b * rows + r] /= mean;
    }
    updates.reciprocalRoots(rowFactors, b * rows, rows);
  }

  /** Adds up the strips, moves vColumn on, and takes {@code 1 / sqrt(vColumn)}. */
  private void factorColumns(int b, Span vColumn) {
    int first = b * strips * columns;
    for (int strip = 1; strip < strips; strip++) {
      reductions.add(partials, first + strip * columns, partials, first, columns);
    }
    for (int c = 0; c < columns; c++) {
      int at = b * columns + c;
      columnFactors[at] = moved(vColumn.address() + 4L * at, partials[first + c] / rows);
    }
    updates.reciprocalRoots(columnFactors, b * columns, columns);
  }

  /** Moves a second moment towards the mean square, and returns it. */
  private float moved(long address, float meanSquare) {
    float moved = Math.fma(1 - beta2, meanSquare + eps, beta2 * ALL.get(JAVA_FLOAT, address));
    ALL.set(JAVA_FLOAT, address, moved);
    return moved;
  }

  @Override
  public void block(int index, Scratch scratch) {
    int b = index / strips;
    int firstRow = index % strips * rowsPerStrip;
    int lastRow = Math.min(rows, firstRow + rowsPerStrip);
    if (!updating) {
      Arrays.fill(partials, index * columns, (index + 1) * columns, 0f);
    }
    for (int row = firstRow; row < lastRow; row++) {
      if (updating) {
        update(b, row, scratch);
      } else {
        measure(b, row, index * columns, scratch);
      }
    }
  }

  /** Sums over a row and, from {@code columnsAt} on, over the columns of its squares. */
  private void measure(int b, int row, int columnsAt, Scratch scratch) {
    float[] few = scratch.floats(0, CHUNK);
    long start = b * batchStride + row * rowStride;
    float rowSum = 0;
    for (int c = 0; c < columns; c += CHUNK) {
      int width = Math.min(CHUNK, columns - c);
      long g = memory.load(gradient, start + c, width, 1, scratch);
      int count = updates.addSquares(g, width, scale, partials, columnsAt + c, few);
      rowSum += reductions.sum(few, 0, count);
    }
    int at = b * rows + row;
    rowFactors[at] = moved(vRow.address() + 4L * at, rowSum / columns);
  }

  private void update(int b, int row, Scratch scratch) {
    long start = b * batchStride + row * rowStride;
    float factor = scale * rowFactors[b * rows + row];
    for (int c = 0; c < columns; c += CHUNK) {
      int count = Math.min(CHUNK, columns - c);
      long first = start + c;
      long p = memory.load(param, first, count, 0, scratch);
      long g = memory.load(gradient, first, count, 1, scratch);
      long mean = m.address() + m.dtype().bytes() * first;
      adafactor.factored(updates, p, g, mean, count, factor, columnFactors, b * columns + c);
      memory.store(p, param, first, count, rounding, scratch);
      memory.round(p, rounded, first, count);
    }
  }
}
