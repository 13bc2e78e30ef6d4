package dev.fovea.kernels.cpu;

import static dev.fovea.kernels.cpu.simd.Memory.ALL;

import dev.fovea.kernels.Activation;
import dev.fovea.kernels.DType;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.Sums;
import dev.fovea.kernels.cpu.simd.Arithmetic;
import dev.fovea.kernels.cpu.simd.Maths;
import dev.fovea.kernels.cpu.simd.Reductions;
import dev.fovea.kernels.cpu.simd.Simd;
import dev.fovea.kernels.cpu.simd.Streams;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The kernels of {@link CpuElementwise} that know rows and columns. */
final class CpuRows {
  private static final Span NOTHING = new Span(0, 0, DType.F32);

  /** The scratch slot of what a block reads once; steps use those below. */
  private static final int ROW_SLOT = 4;

  private final WorkerPool pool;
  private final Staging staging;
  private final Maths maths;
  private final Arithmetic arithmetic;
  private final Reductions reductions;
  private final Streams streams;
  private final Streams halfStreams;
  private final Recycler<AddRow> addRows = new Recycler<>(AddRow::new);
  private final Recycler<Swiglu> swiglus = new Recycler<>(Swiglu::new);
  private final Recycler<SwigluGradient> swigluGradients = new Recycler<>(SwigluGradient::new);
  private final Recycler<Residual> residuals = new Recycler<>(Residual::new);
  private final Recycler<ResidualGradient> residualGradients = new Recycler<>(ResidualGradient::new);

  CpuRows(WorkerPool pool, Simd simd) {
    this.pool = pool;
    arithmetic = simd.arithmetic();
    reductions = simd.reductions();
    streams = simd.streams();
    halfStreams = simd.halfStreams();
    staging = new Staging(simd.convert());
    maths = simd.maths();
  }

  void addRow(long rows, int columns, Span x, Span row, Span z) {
    AddRow grid = addRows.take();
    grid.columns = columns;
    grid.x = x;
    grid.row = row;
    grid.z = z;
    grid.run(pool, rows, columns);
    addRows.give(grid);
  }

  void swiglu(long rows, int width, Span x, Span y) {
    Swiglu grid = swiglus.take();
    grid.width = width;
    grid.x = x;
    grid.y = y;
    grid.run(pool, rows, width);
    swiglus.give(grid);
  }

  void swigluGradient(long rows, int width, Span x, Span dy, Span dx) {
    SwigluGradient grid = swigluGradients.take();
    grid.width = width;
    grid.x = x;
    grid.dy = dy;
    grid.dx = dx;
    grid.run(pool, rows, width);
    swigluGradients.give(grid);
  }

  void residual(
      long rows,
      int columns,
      Span x,
      Span branch,
      @Nullable Span columnScale,
      @Nullable Span rowScale,
      int rowsPerScale,
      Span y) {
    Residual grid = residuals.take();
    grid.columns = columns;
    grid.x = x;
    grid.branch = branch;
    grid.columnScale = columnScale;
    grid.rowScale = rowScale;
    grid.rowsPerScale = rowsPerScale;
    grid.y = y;
    grid.prepare();
    grid.run(pool, rows, columns);
    residuals.give(grid);
  }

  void residualGradient(
      long rows,
      int columns,
      Span dy,
      @Nullable Span branch,
      @Nullable Span columnScale,
      @Nullable Span rowScale,
      int rowsPerScale,
      Span dBranch,
      @Nullable Sums dColumnScale) {
    ResidualGradient grid = residualGradients.take();
    grid.columns = columns;
    grid.dy = dy;
    grid.branch = dColumnScale == null ? null : branch;
    grid.columnScale = columnScale;
    grid.rowScale = rowScale;
    grid.rowsPerScale = rowsPerScale;
    grid.dBranch = dBranch;
    if (dColumnScale == null) {
      grid.run(pool, rows, columns);
    } else {
      long rowsPerBlock = ColumnSums.rowsPerBlock(rows, columns);
      grid.sums.begin(Math.toIntExact((rows + rowsPerBlock - 1) / rowsPerBlock), columns);
      grid.run(pool, rows, columns, rowsPerBlock);
      grid.sums.put(pool, 0, columns, dColumnScale);
    }
    residualGradients.give(grid);
  }

  /** The factor of a row, 1 without factors. */
  private static float factor(@Nullable Span rowScale, int rowsPerScale, long row) {
    return rowScale == null ? 1 : ALL.get(ValueLayout.JAVA_FLOAT, rowScale.address() + row / rowsPerScale * 4);
  }

  private final class AddRow extends RowGrid {
    private int columns;
    private Span x = NOTHING;
    private Span row = NOTHING;
    private Span z = NOTHING;

    @Override
    void begin(int block, Scratch scratch) {
      staging.load(row, 0, scratch.floats(ROW_SLOT, columns), 0, columns);
    }

    @Override
    void chunk(long row, int rows, int column, int width, Scratch scratch) {
      int count = rows * width;
      float[] added = scratch.floats(ROW_SLOT, columns);
      if (Spans.f32(x, z, z)) {
        for (long first = row * columns + column; rows-- > 0; first += columns) {
          reductions.addF32(x.address() + 4 * first, added, column, z.address() + 4 * first, width);
        }
        return;
      }
      float[] a = scratch.floats(0, count);
      staging.load(x, row * columns + column, a, 0, count);
      for (int at = 0; at < count; at += width) {
        arithmetic.add(a, at, added, column, a, at, width);
      }
      staging.store(a, 0, z, row * columns + column, count);
    }
  }

  private final class Swiglu extends RowGrid {
    private int width;
    private Span x = NOTHING;
    private Span y = NOTHING;

    @Override
    void chunk(long row, int rows, int column, int part, Scratch scratch) {
      if (x.dtype() != y.dtype()) {
        staged(row, rows, column, part, scratch);
        return;
      }
      Streams its = x.dtype() == DType.F32 ? streams : halfStreams;
      int size = x.dtype().bytes();
      for (int i = 0; i < rows; i++) {
        long gate = x.address() + size * ((row + i) * 2 * width + column);
        long to = y.address() + size * ((row + i) * width + column);
        its.swiglu(gate, gate + (long) size * width, to, part);
      }
    }

    private void staged(long row, int rows, int column, int part, Scratch scratch) {
      float[] gate = scratch.floats(0, rows * part);
      float[] value = scratch.floats(1, rows * part);
      for (int i = 0; i < rows; i++) {
        long first = (row + i) * 2 * width + column;
        staging.load(x, first, gate, i * part, part);
        staging.load(x, first + width, value, i * part, part);
      }
      maths.activation(Activation.SILU, gate, 0, gate, 0, rows * part);
      arithmetic.multiply(1, gate, 0, value, 0, gate, 0, rows * part);
      staging.store(gate, 0, y, row * width + column, rows * part);
    }
  }

  private final class SwigluGradient extends RowGrid {
    private int width;
    private Span x = NOTHING;
    private Span dy = NOTHING;
    private Span dx = NOTHING;

    @Override
    void chunk(long row, int rows, int column, int part, Scratch scratch) {
      if (!Spans.same(x, dy, dx)) {
        staged(row, rows, column, part, scratch);
        return;
      }
      Streams its = x.dtype() == DType.F32 ? streams : halfStreams;
      int size = x.dtype().bytes();
      long other = (long) size * width;
      for (int i = 0; i < rows; i++) {
        long at = size * ((row + i) * 2 * width + column);
        long gate = x.address() + at;
        long dGate = dx.address() + at;
        long from = dy.address() + size * ((row + i) * width + column);
        its.swigluGradient(gate, gate + other, from, dGate, dGate + other, part);
      }
    }

    private void staged(long row, int rows, int column, int part, Scratch scratch) {
      int count = rows * part;
      float[] gate = scratch.floats(0, count);
      float[] value = scratch.floats(1, count);
      float[] gradient = scratch.floats(2, count);
      float[] silu = scratch.floats(3, count);
      for (int i = 0; i < rows; i++) {
        long first = (row + i) * 2 * width + column;
        staging.load(x, first, gate, i * part, part);
        staging.load(x, first + width, value, i * part, part);
      }
      staging.load(dy, row * width + column, gradient, 0, count);
      maths.activation(Activation.SILU, gate, 0, silu, 0, count);
      arithmetic.multiply(1, gradient, 0, silu, 0, silu, 0, count);
      arithmetic.multiply(1, gradient, 0, value, 0, value, 0, count);
      maths.activationGradient(Activation.SILU, gate, 0, value, 0, gate, 0, count);
      for (int i = 0; i < rows; i++) {
        long first = (row + i) * 2 * width + column;
        staging.store(gate, i * part, dx, first, part);
        staging.store(silu, i * part, dx, first + width, part);
      }
    }
  }

  private final class Residual extends RowGrid {
    private int columns;
    private Span x = NOTHING;
    private Span branch = NOTHING;
    private @Nullable Span columnScale;
    private @Nullable Span rowScale;
    private int rowsPerScale;
    private Span y = NOTHING;
    private @Nullable Streams its;

    void prepare() {
      Streams all = x.dtype() == DType.F32 ? streams : halfStreams;
      its = Spans.same(x, branch, y) && (columnScale == null || all.takes(columns)) ? all : null;
    }

    @Override
    void begin(int block, Scratch scratch) {
      if (columnScale != null) {
        float[] scale = scratch.floats(ROW_SLOT, columns);
        staging.load(columnScale, 0, scale, 0, columns);
        if (its != null) {
          its.arrange(scale, 0, columns);
        }
      }
    }

    @Override
    void chunk(long row, int rows, int column, int width, Scratch scratch) {
      if (its != null) {
        for (int i = 0; i < rows; i++) {
          inPlace(its, row + i, column, width, scratch.floats(ROW_SLOT, columns));
        }
      } else {
        staged(row, rows, column, width, scratch);
      }
    }

    private void inPlace(Streams its, long row, int column, int width, float[] scale) {
      float factor = factor(rowScale, rowsPerScale, row);
      long at = x.dtype().bytes() * (row * columns + column);
      long a = x.address() + at;
      long b = branch.address() + at;
      long to = y.address() + at;
      if (columnScale != null) {
        its.multiplyAdd(factor, scale, column, b, a, to, width);
      } else {
        its.combine(factor, b, 1, a, to, width);
      }
    }

    private void staged(long row, int rows, int column, int width, Scratch scratch) {
      int count = rows * width;
      float[] a = scratch.floats(0, count);
      float[] b = scratch.floats(1, count);
      staging.load(x, row * columns + column, a, 0, count);
      staging.load(branch, row * columns + column, b, 0, count);
      float[] scale = scratch.floats(ROW_SLOT, columns);
      for (int i = 0; i < rows; i++) {
        float factor = factor(rowScale, rowsPerScale, row + i);
        int at = i * width;
        if (columnScale != null) {
          arithmetic.multiplyAdd(factor, scale, column, b, at, a, at, width);
        } else {
          arithmetic.combine(factor, b, at, 1, a, at, a, at, width);
        }
      }
      staging.store(a, 0, y, row * columns + column, count);
    }
  }

  private final class ResidualGradient extends RowGrid {
    private final ColumnSums sums = new ColumnSums(staging, arithmetic);
    private int columns;
    private Span dy = NOTHING;
    private @Nullable Span branch;
    private @Nullable Span columnScale;
    private @Nullable Span rowScale;
    private int rowsPerScale;
    private Span dBranch = NOTHING;

    @Override
    void begin(int block, Scratch scratch) {
      if (columnScale != null) {
        staging.load(columnScale, 0, scratch.floats(ROW_SLOT, columns), 0, columns);
      }
      if (branch != null) {
        Arrays.fill(sums.parts(), sums.at(block), sums.at(block) + columns, 0f);
      }
    }

    @Override
    void chunk(long row, int rows, int column, int width, Scratch scratch) {
      int count = rows * width;
      float[] gradient = scratch.floats(0, count);
      staging.load(dy, row * columns + column, gradient, 0, count);
      if (branch != null) {
        float[] b = scratch.floats(1, count);
        staging.load(branch, row * columns + column, b, 0, count);
        int to = sums.at(blockOf(row)) + column;
        for (int i = 0; i < rows; i++) {
          float factor = factor(rowScale, rowsPerScale, row + i);
          arithmetic.multiplyAdd(factor, gradient, i * width, b, i * width, sums.parts(), to, width);
        }
      }
      float[] scale = scratch.floats(ROW_SLOT, columns);
      for (int i = 0; i < rows; i++) {
        float factor = factor(rowScale, rowsPerScale, row + i);
        int at = i * width;
        if (columnScale != null) {
          arithmetic.multiply(factor, gradient, at, scale, column, gradient, at, width);
        } else if (rowScale != null) {
          arithmetic.scale(factor, gradient, at, gradient, at, width);
        }
      }
      staging.store(gradient, 0, dBranch, row * columns + column, count);
    }
  }
}
