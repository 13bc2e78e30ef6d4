package dev.fovea.kernels.ptx;

import java.util.function.DoubleToIntFunction;
import org.jspecify.annotations.Nullable;

/** Arithmetic of f16 and bf16, single and in pairs: computed exactly or to odd, then rounded once. */
final class Halves {
  private Halves() {}

  /** A function of up to three numbers, in double precision. */
  @FunctionalInterface
  interface Function {
    double apply(double a, double b, double c);
  }

  static @Nullable Op compile(Operands o) {
    boolean nan = o.has("NaN");
    return switch (o.name) {
      case "add" -> function(o, (a, b, c) -> Rounding.sumToOdd(a, b));
      case "sub" -> function(o, (a, b, c) -> Rounding.sumToOdd(a, -b));
      case "mul" -> function(o, (a, b, c) -> a * b);
      case "fma" -> function(o, (a, b, c) -> Rounding.sumToOdd(a * b, c));
      case "abs" -> function(o, (a, b, c) -> Math.abs(a));
      case "neg" -> function(o, (a, b, c) -> -a);
      case "min" -> function(o, (a, b, c) -> Floats.least((float) a, (float) b, true, nan));
      case "max" -> function(o, (a, b, c) -> Floats.least((float) a, (float) b, false, nan));
      case "ex2" -> function(o, (a, b, c) -> Floats.exp2(a));
      case "tanh" -> function(o, (a, b, c) -> StrictMath.tanh(a));
      default -> null;
    };
  }

  private static Op function(Operands o, Function f) {
    Type type = o.type();
    boolean brain = type == Type.BF16 || type == Type.BF16X2;
    boolean two = type.bytes == 4;
    boolean relu = o.has("relu");
    boolean saturate = o.has("sat");
    DoubleToIntFunction round = brain ? Rounding::toBfloat : Rounding::toHalf;
    int d = o.reg(0);
    int a = o.reg(1);
    int b = o.count() > 2 ? o.reg(2) : a;
    int c = o.count() > 3 ? o.reg(3) : a;
    return (w, m) -> {
      long[] r = w.r;
      for (; m != 0; m &= m - 1) {
        int l = Integer.numberOfTrailingZeros(m);
        long result = 0;
        for (int shift = 0; shift < (two ? 32 : 16); shift += 16) {
          double value = f.apply(
              widened(r[a + l] >>> shift, brain),
              widened(r[b + l] >>> shift, brain),
              widened(r[c + l] >>> shift, brain));
          if (relu && value <= 0) {
            value = 0;
          }
          if (saturate) {
            value = value > 0 ? Math.min(value, 1) : 0;
          }
          result |= (long) round.applyAsInt(value) << shift;
        }
        r[d + l] = result;
      }
    };
  }

  private static float widened(long bits, boolean brain) {
    return brain ? Rounding.fromBfloat(bits) : Rounding.fromHalf(bits);
  }
}
