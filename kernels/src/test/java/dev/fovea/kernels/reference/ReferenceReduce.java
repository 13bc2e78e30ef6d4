package dev.fovea.kernels.reference;

import dev.fovea.kernels.ReduceKernels;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.Sums;
import java.util.List;

/** {@link ReduceKernels} in double precision. */
final class ReferenceReduce implements ReduceKernels {
  @Override
  public void sum(Span x, Span out) {
    double sum = 0;
    for (long i = 0; i < x.count(); i++) {
      sum += Mat.get(x, i);
    }
    Mat.set(out, 0, sum);
  }

  @Override
  public void sumOfSquares(Span x, Span out) {
    double sum = 0;
    for (long i = 0; i < x.count(); i++) {
      sum += Mat.get(x, i) * Mat.get(x, i);
    }
    Mat.add(out, 0, sum);
  }

  @Override
  public void sumOfSquares(List<Span> xs, Span out) {
    double sum = 0;
    for (Span x : xs) {
      for (long i = 0; i < x.count(); i++) {
        sum += Mat.get(x, i) * Mat.get(x, i);
      }
    }
    Mat.add(out, 0, sum);
  }

  @Override
  public void maxAbs(Span x, Span out) {
    double max = 0;
    for (long i = 0; i < x.count(); i++) {
      max = Math.max(max, Math.abs(Mat.get(x, i)));
    }
    Mat.set(out, 0, max);
  }

  @Override
  public void columnSums(long rows, int columns, Span x, long ld, Sums sums) {
    for (int c = 0; c < columns; c++) {
      double sum = 0;
      for (long r = 0; r < rows; r++) {
        sum += Mat.get(x, r * ld + c);
      }
      Mat.put(sums, c, sum);
    }
  }

  @Override
  public void clipFactor(Span sumOfSquares, float maxNorm, Span out) {
    double norm = Math.sqrt(Mat.get(sumOfSquares, 0));
    Mat.set(out, 0, norm == 0 ? 1 : Math.min(1, maxNorm / norm));
  }
}
