package dev.fovea.kernels.contract;

import static dev.fovea.kernels.DType.BF16;
import static dev.fovea.kernels.DType.F32;
import static dev.fovea.kernels.contract.ElementwiseCases.bytes;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.Sums;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Cases of the {@link dev.fovea.kernels.ElementwiseKernels} that know rows and columns. */
public final class RowCases {
  private static final double U = Tolerance.U;
  /** No normal number drawn here is larger. */
  private static final double MOST = 6;

  private static final int[][] SHAPES = {
    {1, 1}, {7, 1}, {1, 257}, {196, 7}, {197, 64}, {257, 72}, {5, 2049}, {2, 20_000}, {61, 768}, {3000, 13}
  };

  private RowCases() {}

  public static Stream<KernelCase> all() {
    List<KernelCase> cases = new ArrayList<>();
    for (int[] shape : SHAPES) {
      int rows = shape[0];
      int columns = shape[1];
      cases.add(addRow(rows, columns, F32, F32, F32));
      cases.add(addRow(rows, columns, BF16, F32, BF16));
      cases.add(swiglu(rows, columns, F32, F32));
      cases.add(swiglu(rows, columns, BF16, BF16));
      cases.add(swigluGradient(rows, columns, F32, false));
      cases.add(swigluGradient(rows, columns, BF16, false));
      cases.add(swigluGradient(rows, columns, F32, true));
      for (int which = 0; which < 4; which++) {
        DType dtype = which == 2 ? BF16 : F32;
        cases.add(residual(rows, columns, (which & 1) != 0, (which & 2) != 0, dtype, false));
        cases.add(residualGradient(rows, columns, (which & 1) != 0, (which & 2) != 0, false, dtype));
        cases.add(residualGradient(rows, columns, (which & 1) != 0, (which & 2) != 0, true, dtype));
      }
      cases.add(residual(rows, columns, true, true, F32, true));
      cases.add(copy(rows, columns, columns, columns, F32));
      cases.add(copy(rows, columns, columns + 3, columns, BF16));
      cases.add(copy(rows, columns, columns, columns + 5, DType.I64));
      cases.add(copy(rows, columns, 2L * columns, columns + 1, DType.U8));
    }
    cases.add(copy(9, 16, 24, 20, F32));
    cases.add(copy(9, 7, 9, 8, F32));
    return cases.stream();
  }

  /** What ViT-B does to 64 images. */
  public static Stream<KernelCase> timed() {
    return Stream.of(
        addRow(12_608, 768, F32, F32, F32),
        swiglu(12_608, 2048, F32, F32),
        swigluGradient(12_608, 2048, F32, false),
        residual(12_608, 768, true, true, F32, false),
        residualGradient(12_608, 768, true, true, true, F32),
        copy(12_608, 768, 2304, 768, F32));
  }

  private static KernelCase addRow(int rows, int columns, DType... t) {
    double bytes = bytes((double) rows * columns, t[0], t[2]);
    return ElementwiseCases.timed("addRow", rows + "x" + columns + " " + List.of(t), bytes, memory -> {
      Span x = memory.normal(t[0], (long) rows * columns, 1);
      Span row = memory.normal(t[1], columns, 1);
      Span z =
          memory.output("z", t[2], (long) rows * columns, Tolerance.relative(U).rounded(t[2]));
      return kernels -> kernels.elementwise().addRow(rows, columns, x, row, z);
    });
  }

  private static KernelCase swiglu(int rows, int width, DType from, DType to) {
    double bytes = bytes((double) rows * width, from, from, to);
    return ElementwiseCases.timed("swiglu", rows + "x" + width + " " + from + " " + to, bytes, memory -> {
      Span x = memory.normal(from, 2L * rows * width, 1);
      Span y = memory.output("y", to, (long) rows * width, new Tolerance(U * MOST, 10 * U).rounded(to));
      return kernels -> kernels.elementwise().swiglu(rows, width, x, y);
    });
  }

  /** The gate's gradient is dy times the other half times silu' to 4 u, with two more roundings. */
  private static KernelCase swigluGradient(int rows, int width, DType dtype, boolean inPlace) {
    String shape = rows + "x" + width + " " + dtype + (inPlace ? " into x" : "");
    double bytes = bytes(5.0 * rows * width, dtype);
    return ElementwiseCases.timed("swigluGradient", shape, bytes, memory -> {
      Span x = memory.normal(dtype, 2L * rows * width, 1);
      Span dy = memory.normal(dtype, (long) rows * width, 1);
      Tolerance tolerance = new Tolerance(6 * U * MOST * MOST, 10 * U).rounded(dtype);
      Span dx = inPlace ? memory.inout("dx", x, tolerance) : memory.output("dx", dtype, 2L * rows * width, tolerance);
      return kernels -> kernels.elementwise().swigluGradient(rows, width, x, dy, dx);
    });
  }

  private static KernelCase residual(
      int rows, int columns, boolean byColumn, boolean byRow, DType dtype, boolean inPlace) {
    String shape = rows + "x" + columns + " " + dtype + scales(byColumn, byRow) + (inPlace ? " into branch" : "");
    double bytes = bytes(3.0 * rows * columns, dtype);
    return ElementwiseCases.timed("residual", shape, bytes, memory -> {
      long count = (long) rows * columns;
      Span x = memory.normal(dtype, count, 1);
      Span branch = memory.normal(dtype, count, 1);
      Span columnScale = byColumn ? memory.normal(dtype, columns, 1) : null;
      int rowsPerScale = rows > 100 ? 97 : 1;
      Span rowScale = byRow ? memory.normal(F32, (rows + rowsPerScale - 1) / rowsPerScale, 1) : null;
      double most = MOST + MOST * (byColumn ? MOST : 1) * (byRow ? MOST : 1);
      Tolerance tolerance = Tolerance.absolute(3 * U * most).rounded(dtype);
      Span y = inPlace ? memory.inout("y", branch, tolerance) : memory.output("y", dtype, count, tolerance);
      return kernels ->
          kernels.elementwise().residual(rows, columns, x, branch, columnScale, rowScale, rowsPerScale, y);
    });
  }

  private static KernelCase residualGradient(
      int rows, int columns, boolean byColumn, boolean byRow, boolean ofScale, DType dtype) {
    String shape = rows + "x" + columns + " " + dtype + scales(byColumn, byRow) + (ofScale ? " with dScale" : "");
    double bytes = bytes((ofScale ? 3.0 : 2.0) * rows * columns, dtype);
    return ElementwiseCases.timed("residualGradient", shape, bytes, memory -> {
      long count = (long) rows * columns;
      Span dy = memory.normal(dtype, count, 1);
      Span branch = ofScale ? memory.normal(dtype, count, 1) : null;
      Span columnScale = byColumn ? memory.normal(dtype, columns, 1) : null;
      int rowsPerScale = rows > 100 ? 97 : 1;
      Span rowScale = byRow ? memory.normal(F32, (rows + rowsPerScale - 1) / rowsPerScale, 1) : null;
      Tolerance tolerance = Tolerance.relative(3 * U).rounded(dtype);
      Span dBranch = byRow ? memory.inout("dBranch", dy, tolerance) : memory.output("dBranch", dtype, count, tolerance);
      double sum = 1 + rows * (byRow ? 3 : 1);
      Sums dColumnScale =
          ofScale ? memory.sums("dColumnScale", columns, byColumn, Tolerance.absolute((rows + 4) * U * sum)) : null;
      return kernels -> kernels
          .elementwise()
          .residualGradient(rows, columns, dy, branch, columnScale, rowScale, rowsPerScale, dBranch, dColumnScale);
    });
  }

  private static String scales(boolean byColumn, boolean byRow) {
    return (byColumn ? " columnScale" : "") + (byRow ? " rowScale" : "");
  }

  private static KernelCase copy(int rows, int columns, long ldx, long ldy, DType dtype) {
    String shape = "%dx%d from %d to %d %s".formatted(rows, columns, ldx, ldy, dtype);
    return ElementwiseCases.timed("copy", shape, bytes(2.0 * rows * columns, dtype), memory -> {
      long from = (rows - 1) * ldx + columns;
      long to = (rows - 1) * ldy + columns;
      Span x = dtype.isFloating() ? memory.normal(dtype, from, 1) : memory.integers(dtype, from, 0, 200);
      Span y = memory.output("y", dtype, to, Tolerance.EXACT);
      return kernels -> kernels.elementwise().copy(rows, columns, x, ldx, y, ldy);
    });
  }
}
