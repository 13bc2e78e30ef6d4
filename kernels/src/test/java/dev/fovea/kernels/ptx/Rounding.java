package dev.fovea.kernels.ptx;

/**
 * Conversions between formats of floats, rounded exactly once. Sums that a {@code double} cannot hold are rounded to
 * odd on the way (Boldo and Melquiond): what follows then rounds as from the exact value.
 */
final class Rounding {
  private Rounding() {}

  /** How to round: to nearest even, towards zero, down, up, to nearest away from zero. */
  enum Mode {
    NEAREST,
    ZERO,
    DOWN,
    UP,
    AWAY;

    /** The mode that an instruction's name says. */
    static Mode of(Operands o) {
      if (o.has("rz") || o.has("rzi")) {
        return ZERO;
      }
      if (o.has("rm") || o.has("rmi")) {
        return DOWN;
      }
      if (o.has("rp") || o.has("rpi")) {
        return UP;
      }
      return o.has("rna") ? AWAY : NEAREST;
    }
  }

  /** {@code a + b}, its last bit set when bits were lost. */
  static double sumToOdd(double a, double b) {
    double sum = a + b;
    if (Double.isNaN(sum) || Double.isInfinite(sum)) {
      return sum;
    }
    double bb = sum - a;
    return odd(sum, (a - (sum - bb)) + (b - bb));
  }

  private static double odd(double value, double error) {
    long bits = Double.doubleToRawLongBits(value);
    if (error == 0 || (bits & 1) != 0) {
      return value;
    }
    // An even last bit: the neighbour on the error's side is odd, and lies beyond the exact value or is it.
    return (error > 0) == (value > 0) ? Double.longBitsToDouble(bits + 1) : Double.longBitsToDouble(bits - 1);
  }

  /** A float from a double. */
  static float toFloat(double value, Mode mode) {
    float nearest = (float) value;
    if (mode == Mode.NEAREST || nearest == value || Double.isNaN(value)) {
      return nearest;
    }
    return switch (mode) {
      case DOWN -> nearest > value ? Math.nextDown(nearest) : nearest;
      case UP -> nearest < value ? Math.nextUp(nearest) : nearest;
      default -> Math.abs((double) nearest) > Math.abs(value) ? towardsZero(nearest) : nearest;
    };
  }

  private static float towardsZero(float value) {
    return Float.intBitsToFloat(Float.floatToRawIntBits(value) - 1);
  }

  /** A float from a double, rounded to odd: a shorter format rounds it as the double itself. */
  private static float toOddFloat(double value) {
    float cut = toFloat(value, Mode.ZERO);
    return cut == value || Double.isNaN(value) || Float.isInfinite(cut)
        ? cut
        : Float.intBitsToFloat(Float.floatToRawIntBits(cut) | 1);
  }

  static int toHalf(double value) {
    return Float.floatToFloat16(toOddFloat(value)) & 0xffff;
  }

  static int toHalf(float value, Mode mode) {
    int nearest = Float.floatToFloat16(value) & 0xffff;
    float back = Float.float16ToFloat((short) nearest);
    if (mode == Mode.NEAREST || back == value || Float.isNaN(value)) {
      return nearest;
    }
    boolean beyond = Math.abs(back) > Math.abs(value);
    return switch (mode) {
      case DOWN -> back > value ? step(nearest, value > 0) : nearest;
      case UP -> back < value ? step(nearest, value < 0) : nearest;
      default -> beyond ? nearest - 1 : nearest;
    };
  }

  /** The neighbouring half, nearer to zero or further from it. */
  private static int step(int half, boolean nearer) {
    return nearer ? half - 1 : half + 1;
  }

  static int toBfloat(double value) {
    return toBfloat(toOddFloat(value), Mode.NEAREST);
  }

  static int toBfloat(float value, Mode mode) {
    return truncated(value, mode, 16) >>> 16;
  }

  /** A float whose last 13 bits are gone. */
  static int toTf32(float value, Mode mode) {
    return truncated(value, mode, 13);
  }

  /** The bits of a float rounded to a mantissa that is shorter by so many bits. */
  private static int truncated(float value, Mode mode, int drop) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      return 0x7fff_ffff;
    }
    if (Float.isInfinite(value)) {
      return bits;
    }
    int low = (1 << drop) - 1;
    int add = switch (mode) {
      case NEAREST -> (low >> 1) + (bits >>> drop & 1);
      case AWAY -> 1 << drop - 1;
      case ZERO -> 0;
      case DOWN -> bits < 0 ? low : 0;
      case UP -> bits < 0 ? 0 : low;
    };
    return bits + add & ~low;
  }

  static float fromHalf(long bits) {
    return Float.float16ToFloat((short) bits);
  }

  static float fromBfloat(long bits) {
    return Float.intBitsToFloat((int) bits << 16);
  }

  /** Zero of the same sign for a denormal. */
  static float flush(float value) {
    return Math.abs(value) < Float.MIN_NORMAL ? Math.copySign(0f, value) : value;
  }
}
