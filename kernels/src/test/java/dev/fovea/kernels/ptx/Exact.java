package dev.fovea.kernels.ptx;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;

/** Floating-point formats by arithmetic of decimals: an independent account of what rounding gives. */
final class Exact {
  private Exact() {}

  /** A binary format: bits of mantissa with the hidden one, and the exponent of the least normal number. */
  enum Format {
    F32(24, -126, 127),
    F16(11, -14, 15),
    BF16(8, -126, 127),
    TF32(11, -126, 127);

    final int bits;
    final int least;
    final int most;

    Format(int bits, int least, int most) {
      this.bits = bits;
      this.least = least;
      this.most = most;
    }
  }

  /** The number of the format that an exact value is rounded to; every such number is a double. */
  static double round(BigDecimal value, Format format, RoundingMode mode) {
    if (value.signum() == 0) {
      return 0;
    }
    BigDecimal magnitude = value.abs();
    int exponent = format.least;
    // The exponent e with 2^e <= magnitude < 2^(e+1).
    int guess = (int) Math.floor(Math.log(magnitude.doubleValue()) / Math.log(2));
    for (int e = guess - 1; e <= guess + 1; e++) {
      if (power(e).compareTo(magnitude) <= 0) {
        exponent = Math.max(format.least, e);
      }
    }
    BigDecimal unit = power(exponent - format.bits + 1);
    BigDecimal steps = value.divide(unit, MathContext.UNLIMITED).setScale(0, mode);
    double rounded = steps.multiply(unit).doubleValue();
    double most = (2 - Math.scalb(1.0, 1 - format.bits)) * Math.scalb(1.0, format.most);
    if (Math.abs(rounded) > most) {
      boolean inward = mode == RoundingMode.DOWN
          || mode == RoundingMode.FLOOR && rounded > 0
          || mode == RoundingMode.CEILING && rounded < 0;
      return inward ? Math.copySign(most, rounded) : Math.copySign(Double.POSITIVE_INFINITY, rounded);
    }
    return rounded;
  }

  private static BigDecimal power(int exponent) {
    return exponent >= 0
        ? BigDecimal.TWO.pow(exponent)
        : BigDecimal.ONE.divide(BigDecimal.TWO.pow(-exponent), MathContext.UNLIMITED);
  }
}
