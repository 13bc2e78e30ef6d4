package dev.fovea.kernels.ptx;

import java.util.function.DoubleBinaryOperator;
import java.util.function.DoubleUnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Arithmetic of f32 and f64. Approximations ({@code ex2.approx} and the like) are computed in double precision and
 * rounded once, so they are more accurate than a GPU's, whose errors the PTX manual bounds at about 2 units in the last
 * place (2^-11 for {@code tanh.approx}).
 */
final class Floats {
  private static final double LN_2 = StrictMath.log(2);
  private static final double[] INVERSE = new double[13];

  static {
    for (int i = 1; i < INVERSE.length; i++) {
      INVERSE[i] = 1.0 / i;
    }
  }

  private Floats() {}

  /** A function of floats, computed in double where that rounds as one operation. */
  @FunctionalInterface
  interface FloatTernary {
    float apply(float a, float b, float c);
  }

  static @Nullable Op compile(Operands o) {
    return o.type() == Type.F64 ? doubles(o) : floats(o);
  }

  private static @Nullable Op floats(Operands o) {
    boolean plain = !o.has("ftz") && !o.has("sat") && Rounding.Mode.of(o) == Rounding.Mode.NEAREST;
    Rounding.Mode mode = Rounding.Mode.of(o);
    return switch (o.name) {
      case "add" -> plain ? add(o) : function(o, (a, b, c) -> Rounding.toFloat(Rounding.sumToOdd(a, b), mode));
      case "sub" -> plain ? sub(o) : function(o, (a, b, c) -> Rounding.toFloat(Rounding.sumToOdd(a, -b), mode));
      case "mul" -> plain ? mul(o) : function(o, (a, b, c) -> Rounding.toFloat((double) a * b, mode));
      case "fma", "mad" ->
        plain ? fma(o) : function(o, (a, b, c) -> Rounding.toFloat(Rounding.sumToOdd((double) a * b, c), mode));
      // A quotient of floats never lies so near the middle of two floats that rounding twice differs.
      case "div" -> function(o, (a, b, c) -> mode == Rounding.Mode.NEAREST ? a / b : directedQuotient(a, b, mode));
      case "rcp" -> function(o, (a, b, c) -> mode == Rounding.Mode.NEAREST ? 1f / a : directedQuotient(1, a, mode));
      case "sqrt" -> function(o, (a, b, c) -> Rounding.toFloat(Math.sqrt(a), mode));
      case "rsqrt" -> function(o, (a, b, c) -> (float) (1 / Math.sqrt(a)));
      case "abs" -> function(o, (a, b, c) -> Math.abs(a));
      case "neg" -> function(o, (a, b, c) -> -a);
      case "min" -> extreme(o, true);
      case "max" -> extreme(o, false);
      case "ex2" -> function(o, (a, b, c) -> (float) exp2(a));
      case "lg2" -> function(o, (a, b, c) -> (float) log2(a));
      case "tanh" -> function(o, (a, b, c) -> (float) StrictMath.tanh(a));
      case "sin" -> function(o, (a, b, c) -> (float) StrictMath.sin(a));
      case "cos" -> function(o, (a, b, c) -> (float) StrictMath.cos(a));
      case "copysign" -> function(o, (a, b, c) -> Math.copySign(b, a));
      case "testp" -> test(o);
      default -> null;
    };
  }

  private static float directedQuotient(float a, float b, Rounding.Mode mode) {
    double quotient = (double) a / b;
    // The remainder tells on which side of the double the exact quotient lies.
    double rest = Math.fma(-quotient, b, (double) a);
    return rest == 0 || Double.isNaN(rest)
        ? Rounding.toFloat(quotient, mode)
        : Rounding.toFloat(Rounding.sumToOdd(quotient, (rest > 0) == (b > 0) ? 1e-300 : -1e-300), mode);
  }

  /** 2^x: the Taylor series of its fraction, to a few units of a double's last place. */
  static double exp2(double x) {
    if (!(Math.abs(x) < 1000)) {
      return Math.pow(2, x);
    }
    double whole = Math.rint(x);
    double y = (x - whole) * LN_2;
    double sum = 1;
    for (int i = 12; i > 0; i--) {
      sum = 1 + sum * y * INVERSE[i];
    }
    return Math.scalb(sum, (int) whole);
  }

  static double log2(double x) {
    int exponent = Math.getExponent(x);
    boolean power = x > 0 && x == Math.scalb(1.0, exponent);
    return power ? exponent : StrictMath.log(x) / LN_2;
  }

  private static Op add(Operands o) {
    int d = o.reg(0);
    int a = o.reg(1);
    int b = o.reg(2);
    return (w, m) -> {
      long[] r = w.r;
      for (; m != 0; m &= m - 1) {
        int l = Integer.numberOfTrailingZeros(m);
        r[d + l] = Float.floatToRawIntBits(Float.intBitsToFloat((int) r[a + l]) + Float.intBitsToFloat((int) r[b + l]));
      }
    };
  }

  private static Op sub(Operands o) {
    int d = o.reg(0);
    int a = o.reg(1);
    int b = o.reg(2);
    return (w, m) -> {
      long[] r = w.r;
      for (; m != 0; m &= m - 1) {
        int l = Integer.numberOfTrailingZeros(m);
        r[d + l] = Float.floatToRawIntBits(Float.intBitsToFloat((int) r[a + l]) - Float.intBitsToFloat((int) r[b + l]));
      }
    };
  }

  private static Op mul(Operands o) {
    int d = o.reg(0);
    int a = o.reg(1);
    int b = o.reg(2);
    return (w, m) -> {
      long[] r = w.r;
      for (; m != 0; m &= m - 1) {
        int l = Integer.numberOfTrailingZeros(m);
        r[d + l] = Float.floatToRawIntBits(Float.intBitsToFloat((int) r[a + l]) * Float.intBitsToFloat((int) r[b + l]));
      }
    };
  }

  private static Op fma(Operands o) {
    int d = o.reg(0);
    int a = o.reg(1);
    int b = o.reg(2);
    int c = o.reg(3);
    return (w, m) -> {
      long[] r = w.r;
      for (; m != 0; m &= m - 1) {
        int l = Integer.numberOfTrailingZeros(m);
        r[d + l] = Float.floatToRawIntBits(Math.fma(
            Float.intBitsToFloat((int) r[a + l]), Float.intBitsToFloat((int) r[b + l]), Float.intBitsToFloat((int)
                r[c + l])));
      }
    };
  }

  /** A function of up to three operands, with {@code .ftz} and {@code .sat} about it. */
  private static Op function(Operands o, FloatTernary f) {
    boolean flush = o.has("ftz");
    boolean saturate = o.has("sat");
    int d = o.reg(0);
    int a = o.reg(1);
    int b = o.count() > 2 ? o.reg(2) : a;
    int c = o.count() > 3 ? o.reg(3) : a;
    return (w, m) -> {
      long[] r = w.r;
      for (; m != 0; m &= m - 1) {
        int l = Integer.numberOfTrailingZeros(m);
        float x = Float.intBitsToFloat((int) r[a + l]);
        float y = Float.intBitsToFloat((int) r[b + l]);
        float z = Float.intBitsToFloat((int) r[c + l]);
        if (flush) {
          x = Rounding.flush(x);
          y = Rounding.flush(y);
          z = Rounding.flush(z);
        }
        float result = f.apply(x, y, z);
        if (flush) {
          result = Rounding.flush(result);
        }
        if (saturate) {
          result = saturated(result);
        }
        r[d + l] = Float.floatToRawIntBits(result);
      }
    };
  }

  /** Into [0, 1]; not a number becomes zero. */
  static float saturated(float value) {
    return value > 0 ? Math.min(value, 1) : 0;
  }

  private static Op extreme(Operands o, boolean least) {
    boolean nan = o.has("NaN");
    boolean magnitude = o.has("xorsign");
    if (magnitude) {
      throw o.error("has .xorsign, which the PTX machine does not know");
    }
    return function(o, (a, b, c) -> {
      float result = least(a, b, least, nan);
      return o.count() > 3 ? least(result, c, least, nan) : result;
    });
  }

  /** The lesser or greater: a number before a NaN, unless NaN is wanted. */
  static float least(float a, float b, boolean least, boolean nan) {
    if (!nan && Float.isNaN(a)) {
      return b;
    }
    if (!nan && Float.isNaN(b)) {
      return a;
    }
    return least ? Math.min(a, b) : Math.max(a, b);
  }

  private static Op test(Operands o) {
    int d = o.pred(0);
    int a = o.reg(1);
    boolean twice = o.type() == Type.F64;
    String property = o.part(1);
    return (w, m) -> {
      int result = w.p[d] & ~m;
      for (int left = m; left != 0; left &= left - 1) {
        int l = Integer.numberOfTrailingZeros(left);
        double x = twice ? Double.longBitsToDouble(w.r[a + l]) : Float.intBitsToFloat((int) w.r[a + l]);
        double least = twice ? Double.MIN_NORMAL : Float.MIN_NORMAL;
        boolean holds = switch (property) {
          case "finite" -> Double.isFinite(x);
          case "infinite" -> Double.isInfinite(x);
          case "number" -> !Double.isNaN(x);
          case "notanumber" -> Double.isNaN(x);
          case "normal" -> Double.isFinite(x) && Math.abs(x) >= least;
          default -> x != 0 && Math.abs(x) < least;
        };
        result |= holds ? 1 << l : 0;
      }
      w.p[d] = result;
    };
  }

  private static @Nullable Op doubles(Operands o) {
    Rounding.Mode mode = Rounding.Mode.of(o);
    if (mode != Rounding.Mode.NEAREST) {
      throw o.error("rounds an f64 otherwise than to nearest, which the PTX machine does not know");
    }
    return switch (o.name) {
      case "add" -> binary(o, Double::sum);
      case "sub" -> binary(o, (a, b) -> a - b);
      case "mul" -> binary(o, (a, b) -> a * b);
      case "fma", "mad" ->
        Lanes.ternary(
            o,
            (a, b, c) -> Double.doubleToRawLongBits(
                Math.fma(Double.longBitsToDouble(a), Double.longBitsToDouble(b), Double.longBitsToDouble(c))));
      case "div" -> binary(o, (a, b) -> a / b);
      case "rcp" -> unary(o, a -> 1 / a);
      case "sqrt" -> unary(o, Math::sqrt);
      case "rsqrt" -> unary(o, a -> 1 / Math.sqrt(a));
      case "abs" -> unary(o, Math::abs);
      case "neg" -> unary(o, a -> -a);
      case "min" -> binary(o, (a, b) -> Double.isNaN(a) ? b : Double.isNaN(b) ? a : Math.min(a, b));
      case "max" -> binary(o, (a, b) -> Double.isNaN(a) ? b : Double.isNaN(b) ? a : Math.max(a, b));
      case "ex2" -> unary(o, Floats::exp2);
      case "lg2" -> unary(o, Floats::log2);
      case "copysign" -> binary(o, (a, b) -> Math.copySign(b, a));
      case "testp" -> test(o);
      default -> null;
    };
  }

  private static Op unary(Operands o, DoubleUnaryOperator f) {
    return Lanes.unary(o, a -> Double.doubleToRawLongBits(f.applyAsDouble(Double.longBitsToDouble(a))));
  }

  private static Op binary(Operands o, DoubleBinaryOperator f) {
    return Lanes.binary(
        o,
        (a, b) -> Double.doubleToRawLongBits(f.applyAsDouble(Double.longBitsToDouble(a), Double.longBitsToDouble(b))));
  }
}
