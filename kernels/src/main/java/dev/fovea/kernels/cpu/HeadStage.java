package dev.fovea.kernels.cpu;

import dev.fovea.kernels.Attention.Operand;
import dev.fovea.kernels.DType;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.cpu.simd.Arithmetic;
import dev.fovea.kernels.cpu.simd.Memory;
import dev.fovea.kernels.cpu.simd.Packing;
import dev.fovea.kernels.cpu.simd.Simd;
import dev.fovea.kernels.cpu.simd.Tiles;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What the attention kernels share: rows of one head between native memory and panels, and products over all panels of
 * an operand. Queries lie along the vector: a strip is [anything][columns of a tile], one column per query.
 */
final class HeadStage {
  /** Scratch slot of the rows being moved; kernels use the slots from 1 on. */
  private static final int STAGE = 0;

  /** Rows and columns of a tile. */
  final int rows;

  final int columns;

  /** Rows that are moved at a time: whole panels, and at least a strip. */
  final int chunk;

  private final Tiles tiles;
  private final Packing packing;
  private final Arithmetic arithmetic;
  private final Staging staging;
  private float[] stage = {};
  private int headDim;
  private int ld;

  HeadStage(Simd simd) {
    tiles = simd.tiles();
    packing = simd.packing();
    arithmetic = simd.arithmetic();
    staging = new Staging(simd.convert());
    rows = tiles.rows();
    columns = tiles.columns();
    chunk = roundUp(columns, rows);
  }

  /** The rows being moved are padded with zeros to whole panels and strips, downwards by {@link #load}. */
  void begin(int headDim, Scratch scratch) {
    this.headDim = headDim;
    ld = roundUp(roundUp(headDim, rows), columns);
    stage = scratch.zeros(STAGE, chunk * ld);
  }

  static int roundUp(int value, int multiple) {
    return Math.ceilDiv(value, multiple) * multiple;
  }

  /** Keys that image {@code b} attends to. */
  static int validKeys(@Nullable Span lengths, int image, int keys) {
    return lengths == null ? keys : Memory.ALL.get(ValueLayout.JAVA_INT, lengths.address() + 4L * image);
  }

  /** Width of a product or a column loop for this many queries of a strip. */
  int width(int queries) {
    return 2 * queries <= columns ? columns / 2 : columns;
  }

  /** Brings in at most {@link #chunk} rows of the head whose first column is given. */
  void load(Operand operand, long row, long column, int count) {
    Span span = operand.span();
    for (int i = 0; i < count; i++) {
      staging.load(span, (row + i) * operand.ld() + column, stage, i * ld, headDim);
    }
    if (count < chunk) {
      Arrays.fill(stage, count * ld, chunk * ld, 0f);
    }
  }

  /** Rows of a head as A panels. */
  void panels(Operand operand, long row, long column, int count, float[] to, int at) {
    if (operand.span().dtype() == DType.F32) {
      for (int i = 0; i < count; i += rows) {
        packing.panel(
            address(operand, row + i, column),
            operand.ld(),
            Math.min(rows, count - i),
            headDim,
            to,
            at + i * headDim,
            rows);
      }
      return;
    }
    for (int i = 0; i < count; i += chunk) {
      int n = Math.min(chunk, count - i);
      load(operand, row + i, column, n);
      toPanels(n, to, at + i * headDim);
    }
  }

  /** The same rows as A panels of their transpose, {@code count * rows} floats apart. */
  void transposedPanels(Operand operand, long row, long column, int count, float[] to, int at) {
    if (operand.span().dtype() == DType.F32 && headDim % rows == 0) {
      long from = address(operand, row, column);
      packing.across(from, operand.ld(), count, headDim / rows, to, at, rows, null, 0);
      return;
    }
    for (int i = 0; i < count; i += chunk) {
      int n = Math.min(chunk, count - i);
      load(operand, row + i, column, n);
      toTransposedPanels(n, to, at + i * rows, count * rows);
    }
  }

  /** At most {@link #columns} rows of a head as a strip [headDim][columns], multiplied by a factor. */
  void strip(Operand operand, long row, long column, int count, float factor, float[] to, int at) {
    if (operand.span().dtype() == DType.F32) {
      packing.panel(address(operand, row, column), operand.ld(), count, headDim, to, at, columns);
    } else {
      load(operand, row, column, count);
      toStrip(count, to, at);
    }
    arithmetic.scale(factor, to, at, to, at, headDim * columns);
  }

  private static long address(Operand operand, long row, long column) {
    return operand.span().address() + 4 * (row * operand.ld() + column);
  }

  /** Multiplies what was loaded. */
  void scale(int count, float factor) {
    arithmetic.scale(factor, stage, 0, stage, 0, count * ld);
  }

  /** What was loaded as A panels of whole rows. */
  void toPanels(int count, float[] to, int at) {
    for (int i = 0; i < count; i += rows) {
      packing.transpose(stage, i * ld, ld, rows, headDim, to, at + i * headDim, rows);
    }
  }

  /** What was loaded as A panels of its transpose, {@code stride} floats apart. */
  void toTransposedPanels(int count, float[] to, int at, int stride) {
    for (int i = 0; i < headDim; i += rows) {
      packing.copy(stage, i, ld, count, rows, to, at + i / rows * stride, rows);
    }
  }

  /** What was loaded as a strip [headDim][columns]. */
  void toStrip(int count, float[] to, int at) {
    packing.transpose(stage, 0, ld, width(count), headDim, to, at, columns);
  }

  /** What was loaded as B panels: {@code columns} head dimensions of {@code columns} rows each. */
  void toRowPanels(int count, float[] to, int at) {
    for (int i = 0; i < headDim; i += columns) {
      packing.copy(stage, i, ld, count, width(headDim - i), to, at + i * columns, columns);
    }
  }

  /** Stores the first columns of a strip [headDim rounded up to tiles][columns] as rows of a head. */
  void storeStrip(float[] strip, int at, Operand operand, long row, long column, int count) {
    packing.transpose(strip, at, columns, headDim, count, stage, 0, ld);
    storeRows(stage, 0, ld, operand, row, column, count);
  }

  /** Stores rows of {@code from} as rows of a head. */
  void storeRows(float[] from, int at, int ld, Operand operand, long row, long column, int count) {
    Span span = operand.span();
    for (int i = 0; i < count; i++) {
      staging.store(from, at + i * ld, span, (row + i) * operand.ld() + column, headDim);
    }
  }

  /** Reads floats of an F32 span. */
  void loadFloats(Span span, long first, float[] to, int at, int count) {
    staging.load(span, first, to, at, count);
  }

  /** The way back. */
  void storeFloats(float[] from, int at, Span span, long first, int count) {
    staging.store(from, at, span, first, count);
  }

  /** {@code c[m][columns] (+)= A B} for a strip B; c has room for whole tiles. */
  void multiply(
      int m, int k, float[] a, int aStride, float[] b, int bAt, float[] c, int cAt, int width, boolean accumulate) {
    for (int i = 0; i < m; i += rows) {
      int aAt = i / rows * aStride;
      int at = cAt + i * columns;
      if (width == columns) {
        tiles.multiply(k, a, aAt, b, bAt, c, at, columns, accumulate);
      } else {
        tiles.multiplyHalf(k, a, aAt, b, bAt, c, at, columns, accumulate);
      }
    }
  }

  /** {@code c[m][headDim] (+)= A B} for a strip A, k of its columns, and B panels of k rows. */
  void multiplyRows(int m, int k, float[] a, float[] b, float[] c, int ldc, boolean accumulate) {
    for (int j = 0; j < headDim; j += columns) {
      boolean whole = width(headDim - j) == columns;
      for (int i = 0; i < m; i += rows) {
        if (whole) {
          tiles.multiplyRows(k, a, i * columns, b, j * columns, c, i * ldc + j, ldc, accumulate);
        } else {
          tiles.multiplyRowsHalf(k, a, i * columns, b, j * columns, c, i * ldc + j, ldc, accumulate);
        }
      }
    }
  }

  /** Leading dimension that {@link #multiplyRows} needs. */
  int paddedHeadDim() {
    int whole = headDim / columns * columns;
    return whole == headDim ? whole : whole + width(headDim - whole);
  }
}
