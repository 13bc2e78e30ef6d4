package dev.fovea.kernels;

import org.jspecify.annotations.Nullable;

/** Checks the arguments of every call, then passes it on. */
record CheckedElementwise(ElementwiseKernels kernels) implements ElementwiseKernels {
  @Override
  public void fill(Span x, double value) {
    switch (x.dtype()) {
      case U8 -> Check.range("value", value, 0, 255);
      case I32 -> Check.range("value", value, Integer.MIN_VALUE, Integer.MAX_VALUE);
      case I64 -> Check.range("value", value, -0x1p63, Math.nextDown(0x1p63));
      case F32, BF16, F16, F64 -> {}
    }
    kernels.fill(x, value);
  }

  @Override
  public void combine(float alpha, Span x, float beta, @Nullable Span y, Span z) {
    Check.real("x", x);
    if (beta != 0) {
      if (y == null) {
        throw new IllegalArgumentException("y: got null, expected a span because beta is " + beta);
      }
      Check.real("y", y);
      Check.sameCount("y", y, "x", x);
    }
    Check.real("z", z);
    Check.sameCount("z", z, "x", x);
    kernels.combine(alpha, x, beta, y, z);
  }

  @Override
  public void multiply(Span x, Span y, Span z) {
    Check.real("x", x);
    Check.real("y", y);
    Check.sameCount("y", y, "x", x);
    Check.real("z", z);
    Check.sameCount("z", z, "x", x);
    kernels.multiply(x, y, z);
  }

  @Override
  public void addRow(long rows, int columns, Span x, Span row, Span z) {
    matrix(rows, columns);
    Check.matrix("x", x, rows, columns, columns);
    Check.vector("row", row, columns);
    Check.matrix("z", z, rows, columns, columns);
    kernels.addRow(rows, columns, x, row, z);
  }

  @Override
  public void activation(Activation f, Span x, Span y) {
    Check.real("x", x);
    Check.real("y", y);
    Check.sameCount("y", y, "x", x);
    kernels.activation(f, x, y);
  }

  @Override
  public void activationGradient(Activation f, Span x, Span dy, Span dx) {
    Check.real("x", x);
    Check.real("dy", dy);
    Check.sameCount("dy", dy, "x", x);
    Check.real("dx", dx);
    Check.sameCount("dx", dx, "x", x);
    kernels.activationGradient(f, x, dy, dx);
  }

  @Override
  public void swiglu(long rows, int width, Span x, Span y) {
    Check.positive("rows", rows);
    Check.positive("width", width);
    Check.matrix("x", x, rows, Math.multiplyExact(2, width), 2L * width);
    Check.matrix("y", y, rows, width, width);
    Check.apart("y", y, "x", x);
    kernels.swiglu(rows, width, x, y);
  }

  @Override
  public void swigluGradient(long rows, int width, Span x, Span dy, Span dx) {
    Check.positive("rows", rows);
    Check.positive("width", width);
    Check.matrix("x", x, rows, Math.multiplyExact(2, width), 2L * width);
    Check.matrix("dy", dy, rows, width, width);
    Check.matrix("dx", dx, rows, 2L * width, 2L * width);
    Check.apart("dx", dx, "dy", dy);
    kernels.swigluGradient(rows, width, x, dy, dx);
  }

  @Override
  public void residual(
      long rows,
      int columns,
      Span x,
      Span branch,
      @Nullable Span columnScale,
      @Nullable Span rowScale,
      int rowsPerScale,
      Span y) {
    matrix(rows, columns);
    Check.matrix("x", x, rows, columns, columns);
    Check.matrix("branch", branch, rows, columns, columns);
    scales(rows, columns, columnScale, rowScale, rowsPerScale);
    Check.matrix("y", y, rows, columns, columns);
    kernels.residual(rows, columns, x, branch, columnScale, rowScale, rowsPerScale, y);
  }

  @Override
  public void residualGradient(
      long rows,
      int columns,
      Span dy,
      @Nullable Span branch,
      @Nullable Span columnScale,
      @Nullable Span rowScale,
      int rowsPerScale,
      Span dBranch,
      @Nullable Sums dColumnScale) {
    matrix(rows, columns);
    Check.matrix("dy", dy, rows, columns, columns);
    scales(rows, columns, columnScale, rowScale, rowsPerScale);
    Check.matrix("dBranch", dBranch, rows, columns, columns);
    if (dColumnScale != null) {
      if (branch == null) {
        throw new IllegalArgumentException("branch: got null, expected a span because of dColumnScale");
      }
      Check.matrix("branch", branch, rows, columns, columns);
      Check.sums("dColumnScale", dColumnScale, columns);
    }
    kernels.residualGradient(rows, columns, dy, branch, columnScale, rowScale, rowsPerScale, dBranch, dColumnScale);
  }

  @Override
  public void cast(Span x, Span y) {
    boolean supported =
        y.dtype() == DType.F32 ? true : x.dtype().isFloating() && y.dtype().isFloating();
    if (!supported) {
      throw new IllegalArgumentException(
          "y: got %s, expected F32 or, from a floating dtype, another; x is %s".formatted(y.dtype(), x.dtype()));
    }
    Check.sameCount("y", y, "x", x);
    kernels.cast(x, y);
  }

  @Override
  public void castStochastic(Span x, Span y, long seed, long step) {
    Check.typed("x", x, DType.F32, 0);
    Check.typed("y", y, DType.BF16, 0);
    Check.sameCount("y", y, "x", x);
    kernels.castStochastic(x, y, seed, step);
  }

  @Override
  public void copy(long rows, int columns, Span x, long ldx, Span y, long ldy) {
    matrix(rows, columns);
    strided("x", x, rows, columns, ldx);
    strided("y", y, rows, columns, ldy);
    if (x.dtype() != y.dtype()) {
      throw new IllegalArgumentException("y: got %s, expected %s as in x".formatted(y.dtype(), x.dtype()));
    }
    kernels.copy(rows, columns, x, ldx, y, ldy);
  }

  private static void matrix(long rows, int columns) {
    Check.positive("rows", rows);
    Check.positive("columns", columns);
  }

  private static void strided(String name, Span span, long rows, int columns, long ld) {
    if (ld < columns) {
      throw new IllegalArgumentException(
          "%s: got leading dimension %d, expected at least %d".formatted(name, ld, columns));
    }
    Check.holds(name, span, Math.addExact(Math.multiplyExact(rows - 1, ld), columns));
  }

  private static void scales(
      long rows, int columns, @Nullable Span columnScale, @Nullable Span rowScale, int rowsPerScale) {
    Check.optional("columnScale", columnScale, columns);
    if (rowScale != null) {
      Check.positive("rowsPerScale", rowsPerScale);
      Check.typed("rowScale", rowScale, DType.F32, (rows + rowsPerScale - 1) / rowsPerScale);
    }
  }
}
