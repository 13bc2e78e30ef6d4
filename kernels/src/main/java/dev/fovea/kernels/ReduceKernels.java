package dev.fovea.kernels;

/** Sums in an order fixed by the shape alone. Inputs F32 or BF16, results F32. */
public interface ReduceKernels {
  /** {@code out[0] = sum of x}. Error within {@code (log2 n + 8) u} of the sum of magnitudes. */
  void sum(Span x, Span out);

  /** {@code out[0] += sum of x^2}: add up several tensors' for a global norm. Same error bound. */
  void sumOfSquares(Span x, Span out);

  /** {@code out[0] = max |x|}, NaN if there is one. */
  void maxAbs(Span x, Span out);

  /**
   * {@code sums[c] += sum over r of x[r,c]}.
   *
   * @param x [rows, columns] with leading dimension {@code ld}
   * @param sums F32 [columns]
   */
  void columnSums(long rows, int columns, Span x, long ld, Span sums);

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
