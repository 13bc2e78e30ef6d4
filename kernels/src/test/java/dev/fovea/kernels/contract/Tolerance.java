package dev.fovea.kernels.contract;

/**
 * How far a result may be from the float64 reference: {@code |got - expected| <= absolute + relative * |expected|}.
 * Equal NaNs and equal infinities agree.
 *
 * @param absolute for results whose scale the case knows (sums of products)
 * @param relative for pointwise results; 2^-8 is one rounding to BF16, 2^-24 half a unit in the last place of F32
 */
public record Tolerance(double absolute, double relative) {
  public static final Tolerance EXACT = new Tolerance(0, 0);

  /** Unit roundoff of F32. */
  public static final double U = 0x1p-24;

  public static Tolerance relative(double relative) {
    return new Tolerance(0, relative);
  }

  public static Tolerance absolute(double absolute) {
    return new Tolerance(absolute, 0);
  }

  /**
   * This, plus one rounding of the result to {@code dtype}: two neighbours of BF16, as the reference is rounded too.
   */
  public Tolerance rounded(dev.fovea.kernels.DType dtype) {
    return dtype == dev.fovea.kernels.DType.BF16 ? new Tolerance(absolute, relative + 0x1.01p-7) : this;
  }

  boolean allows(double got, double expected) {
    if (Double.isNaN(expected)) {
      return Double.isNaN(got);
    }
    return got == expected || Math.abs(got - expected) <= absolute + relative * Math.abs(expected);
  }

  /** The part of what is allowed that a difference takes. */
  double share(double got, double expected) {
    return Math.abs(got - expected) / (absolute + relative * Math.abs(expected));
  }
}
