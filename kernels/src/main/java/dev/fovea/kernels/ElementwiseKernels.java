package dev.fovea.kernels;

import org.jspecify.annotations.Nullable;

/** Pointwise kernels. Unless said otherwise operands are F32 or BF16 and an output may be any input. */
public interface ElementwiseKernels {
  /** The same kernels with every call's arguments checked first. */
  static ElementwiseKernels checked(ElementwiseKernels kernels) {
    return new CheckedElementwise(kernels);
  }

  /** {@code x[i] = value}, any dtype ({@code value} is rounded to it; integers must be in range). */
  void fill(Span x, double value);

  /** {@code z = alpha x + beta y}. With {@code beta = 0}, y is not read and may be null. */
  void combine(float alpha, Span x, float beta, @Nullable Span y, Span z);

  /** {@code z = x y}. */
  void multiply(Span x, Span y, Span z);

  /** {@code z[r,c] = x[r,c] + row[c]}, rows of {@code columns} values. */
  void addRow(long rows, int columns, Span x, Span row, Span z);

  /** {@code y = f(x)}. Same bits as the fused form in {@link Gemm}. */
  void activation(Activation f, Span x, Span y);

  /** {@code dx = dy f'(x)}. */
  void activationGradient(Activation f, Span x, Span dy, Span dx);

  /** {@code y[r,c] = silu(x[r,c]) x[r, width + c]}; x is [rows, 2 width], y is [rows, width], not x. */
  void swiglu(long rows, int width, Span x, Span y);

  /** The gradient of {@link #swiglu}: dy is [rows, width], dx is [rows, 2 width] and may be x. */
  void swigluGradient(long rows, int width, Span x, Span dy, Span dx);

  /**
   * A residual branch: {@code y[r,c] = x[r,c] + columnScale[c] rowScale[r / rowsPerScale] branch[r,c]}.
   *
   * @param columnScale [columns] or null for 1 (LayerScale)
   * @param rowScale F32 [ceil(rows / rowsPerScale)] or null for 1 (stochastic depth)
   */
  void residual(
      long rows,
      int columns,
      Span x,
      Span branch,
      @Nullable Span columnScale,
      @Nullable Span rowScale,
      int rowsPerScale,
      Span y);

  /**
   * The branch's part of the gradient of {@link #residual}: {@code dBranch = columnScale rowScale dy}, and
   * {@code dColumnScale[c] = sum over r of rowScale dy branch}.
   *
   * @param branch needed only with {@code dColumnScale}
   * @param dBranch may be dy
   * @param dColumnScale [columns] or null
   */
  void residualGradient(
      long rows,
      int columns,
      Span dy,
      @Nullable Span branch,
      @Nullable Span columnScale,
      @Nullable Span rowScale,
      int rowsPerScale,
      Span dBranch,
      @Nullable Sums dColumnScale);

  /**
   * {@code y[i] = x[i]} between any two floating dtypes, round to nearest even; also U8, I32 or I64 to F32. NaN stays
   * NaN.
   */
  void cast(Span x, Span y);

  /**
   * F32 to BF16, rounding away from zero with a probability equal to the fraction cut off, so that the expected value
   * is exact: the lower half of the element's word of {@link RandomKernels#bits} for the same key is added to the bits
   * of its magnitude, and the lower half of the sum is cut off. Infinities and NaN stay; a value from the largest
   * finite BF16 on is cut off, so that none becomes infinite.
   */
  void castStochastic(Span x, Span y, long seed, long step);

  /**
   * Copies {@code rows} rows of {@code columns} elements between matrices of the same dtype (any) with leading
   * dimensions {@code ldx} and {@code ldy}. No overlap.
   */
  void copy(long rows, int columns, Span x, long ldx, Span y, long ldy);
}
