package dev.fovea.kernels;

import java.util.List;

/** {@link ReduceKernels} that check their arguments first. */
record CheckedReduce(ReduceKernels kernels) implements ReduceKernels {
  @Override
  public void sum(Span x, Span out) {
    checkScalar(x, out);
    kernels.sum(x, out);
  }

  @Override
  public void sumOfSquares(Span x, Span out) {
    checkScalar(x, out);
    kernels.sumOfSquares(x, out);
  }

  @Override
  public void sumOfSquares(List<Span> xs, Span out) {
    for (int i = 0; i < xs.size(); i++) {
      checkScalar(xs.get(i), out);
    }
    kernels.sumOfSquares(xs, out);
  }

  @Override
  public void maxAbs(Span x, Span out) {
    checkScalar(x, out);
    kernels.maxAbs(x, out);
  }

  private static void checkScalar(Span x, Span out) {
    Check.real("x", x);
    Check.typed("out", out, DType.F32, 1);
  }

  @Override
  public void columnSums(long rows, int columns, Span x, long ld, Sums sums) {
    Check.positive("rows", rows);
    Check.positive("columns", columns);
    Check.matrix("x", x, rows, columns, ld);
    Check.sums("sums", sums, columns);
    Check.apart("sums", sums.span(), "x", x);
    kernels.columnSums(rows, columns, x, ld, sums);
  }

  @Override
  public void clipFactor(Span sumOfSquares, float maxNorm, Span out) {
    Check.typed("sumOfSquares", sumOfSquares, DType.F32, 1);
    Check.range("maxNorm", maxNorm, 0, Double.POSITIVE_INFINITY);
    Check.typed("out", out, DType.F32, 1);
    kernels.clipFactor(sumOfSquares, maxNorm, out);
  }
}
