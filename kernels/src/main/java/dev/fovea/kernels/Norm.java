package dev.fovea.kernels;

/**
 * The shape and kind of a normalisation: {@code groups} groups of {@code width} neighbouring values in each of
 * {@code rows} rows are each normalised on their own. {@code groups = 1} is the usual norm over a token; {@code groups
 * = heads} normalises each head (QK-norm).
 *
 * @param rows number of rows
 * @param groups groups in a row
 * @param width values in a group
 * @param eps added to the variance, or to the mean square
 * @param centered LayerNorm if true: subtract the mean; RMSNorm if false
 */
public record Norm(long rows, int groups, int width, float eps, boolean centered) {
  public Norm {
    if (rows < 1 || groups < 1 || width < 1) {
      throw new IllegalArgumentException(
          "rows, groups, width: got %d, %d, %d, expected at least 1 each".formatted(rows, groups, width));
    }
    if (!(eps >= 0)) {
      throw new IllegalArgumentException("eps: got " + eps + ", expected at least 0");
    }
  }

  /** The usual LayerNorm over rows of {@code width} values. */
  public static Norm layer(long rows, int width, float eps) {
    return new Norm(rows, 1, width, eps, true);
  }

  /** The usual RMSNorm over rows of {@code width} values. */
  public static Norm rms(long rows, int width, float eps) {
    return new Norm(rows, 1, width, eps, false);
  }

  /** Elements of the statistics: a mean and a reciprocal deviation per group. */
  public long statsCount() {
    return 2 * rows * groups;
  }
}
