package dev.fovea.kernels;

import org.jspecify.annotations.Nullable;

/** LayerNorm and RMSNorm over whole rows or over heads. */
public interface NormKernels {
  /** The same kernels with every call's arguments checked first. */
  static NormKernels checked(NormKernels kernels) {
    return new CheckedNorm(kernels);
  }

  /**
   * {@code y = (x - mean) rstd weight + bias}, with mean = 0 for RMSNorm. Variance is the mean of squared deviations
   * from the mean (two passes), not a difference of squares.
   *
   * @param x [rows, groups * width] with leading dimension {@code ldx}
   * @param weight [width] or null for 1
   * @param bias [width] or null for 0
   * @param y as x, with leading dimension {@code ldy}; may be x
   * @param stats F32 [2, rows, groups]: all means, then all reciprocal deviations {@code 1/sqrt(var + eps)}; or null
   */
  void forward(
      Norm norm, Span x, long ldx, @Nullable Span weight, @Nullable Span bias, Span y, long ldy, @Nullable Span stats);

  /**
   * The gradient: {@code dx = add + rstd (g - mean(g) - xhat mean(g xhat))} with {@code g = dy weight}, and without the
   * {@code mean(g)} term for RMSNorm.
   *
   * @param stats as {@link #forward} wrote it
   * @param dy [rows, groups * width] with leading dimension {@code lddy}
   * @param add what the residual branch contributes, laid out like dx; may be dx; null for 0
   * @param dx [rows, groups * width] with leading dimension {@code lddx}; may be dy when the leading dimensions agree
   * @param dWeight [width] or null
   * @param dBias [width] or null
   */
  void backward(
      Norm norm,
      Span x,
      long ldx,
      @Nullable Span weight,
      Span stats,
      Span dy,
      long lddy,
      @Nullable Span add,
      Span dx,
      long lddx,
      @Nullable Sums dWeight,
      @Nullable Sums dBias);

  /**
   * What one of two norms side by side has of its own; operands as in {@link #backward}.
   *
   * @param dBias null where there is no bias
   */
  record Side(
      @Nullable Span weight,
      Span stats,
      @Nullable Sums dWeight,
      @Nullable Sums dBias) {
    /** Whether a parameter's gradient is wanted. */
    public boolean hasSums() {
      return dWeight != null || dBias != null;
    }
  }

  /**
   * The gradients of two norms of the same shape over neighbouring columns, as those of queries and keys are:
   * {@code first} over columns {@code [0, groups width)} of x, dy and dx, {@code second} over as many behind them. As
   * two calls of {@link #backward} without {@code add}.
   */
  default void backwardPair(
      Norm norm, Span x, long ldx, Side first, Side second, Span dy, long lddy, Span dx, long lddx) {
    long width = (long) norm.groups() * norm.width();
    backward(norm, x, ldx, first.weight(), first.stats(), dy, lddy, null, dx, lddx, first.dWeight(), first.dBias());
    backward(
        norm,
        x.from(width),
        ldx,
        second.weight(),
        second.stats(),
        dy.from(width),
        lddy,
        null,
        dx.from(width),
        lddx,
        second.dWeight(),
        second.dBias());
  }
}
