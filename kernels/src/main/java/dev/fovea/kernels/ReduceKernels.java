package dev.fovea.kernels;

import java.util.List;

/** Sums in an order fixed by the shape alone. Inputs F32 or BF16, results F32. */
public interface ReduceKernels {
  /** {@code out[0] = sum of x}. Error within {@code (log2 n + 8) u} of the sum of magnitudes. */
  void sum(Span x, Span out);

  /** {@code out[0] += sum of x^2}. Same error bound. */
  void sumOfSquares(Span x, Span out);

  /**
   * {@code out[0] +=} the sums of squares of several tensors, for the global norm of gradients: at most four launches
   * on a GPU for every 1362 of them. Error within {@code (log2 n + 8 + the number of tensors) u}, n being all elements.
   */
  void sumOfSquares(List<Span> xs, Span out);

  /** {@code out[0] = max |x|}, NaN if there is one. */
  void maxAbs(Span x, Span out);

  /**
   * {@code sums[c] = sum over r of x[r,c]}.
   *
   * @param x [rows, columns] with leading dimension {@code ld}
   * @param sums [columns]
   */
  void columnSums(long rows, int columns, Span x, long ld, Sums sums);

  /**
   * {@code out[0] = min(1, maxNorm / sqrt(sumOfSquares[0]))}: the factor that clips a gradient to a global norm, left
   * on the device for the optimizer kernels. 1 for a norm of zero; NaN for a norm of NaN.
   */
  void clipFactor(Span sumOfSquares, float maxNorm, Span out);

  /** These kernels behind the checks that every device needs. */
  static ReduceKernels checked(ReduceKernels kernels) {
    return new CheckedReduce(kernels);
  }
}
