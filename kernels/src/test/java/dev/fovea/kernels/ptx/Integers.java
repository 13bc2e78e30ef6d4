package dev.fovea.kernels.ptx;

import java.util.function.LongBinaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * Integer arithmetic. A register holds a value in its low bits; what lies above the instruction's width is never read,
 * so that results need no masking.
 */
final class Integers {
  private Integers() {}

  static @Nullable Op compile(Operands o) {
    if (o.has("cc") || o.name.equals("addc") || o.name.equals("subc") || o.name.equals("madc")) {
      return carry(o);
    }
    Type type = o.type();
    boolean wide = type.bytes == 8;
    return switch (o.name) {
      case "add" -> o.has("sat") ? saturated(o, Math::addExact) : wide ? add64(o) : add32(o);
      case "sub" -> o.has("sat") ? saturated(o, Math::subtractExact) : sub(o);
      case "mul" -> multiply(o);
      case "mad" -> multiplyAdd(o);
      case "mul24" -> Lanes.binary(o, (a, b) -> low24(type, a) * low24(type, b) >> (o.has("hi") ? 16 : 0));
      case "mad24" -> Lanes.ternary(o, (a, b, c) -> (low24(type, a) * low24(type, b) >> (o.has("hi") ? 16 : 0)) + c);
      case "sad" -> Lanes.ternary(o, (a, b, c) -> Math.abs(type.integer(a) - type.integer(b)) + c);
      case "div" -> Lanes.binary(o, divide(type));
      case "rem" -> Lanes.binary(o, remainder(type));
      case "abs" -> Lanes.unary(o, a -> Math.abs(type.integer(a)));
      case "neg" -> Lanes.unary(o, a -> -a);
      case "min" -> Lanes.binary(o, minimum(type));
      case "max" -> Lanes.binary(o, maximum(type));
      default -> null;
    };
  }

  /** The less of two values, ordered as the type orders them. */
  static LongBinaryOperator minimum(Type type) {
    return type == Type.U64
        ? (a, b) -> Long.compareUnsigned(a, b) <= 0 ? a : b
        : (a, b) -> Math.min(type.integer(a), type.integer(b));
  }

  /** The greater of two values, ordered as the type orders them. */
  static LongBinaryOperator maximum(Type type) {
    return type == Type.U64
        ? (a, b) -> Long.compareUnsigned(a, b) >= 0 ? a : b
        : (a, b) -> Math.max(type.integer(a), type.integer(b));
  }

  private static long low24(Type type, long a) {
    return type.signed() ? a << 40 >> 40 : a & 0xff_ffff;
  }

  private static LongBinaryOperator divide(Type type) {
    return type == Type.U64
        ? (a, b) -> b == 0 ? -1 : Long.divideUnsigned(a, b)
        : (a, b) -> type.integer(b) == 0 ? -1 : type.integer(a) / type.integer(b);
  }

  private static LongBinaryOperator remainder(Type type) {
    return type == Type.U64
        ? (a, b) -> b == 0 ? a : Long.remainderUnsigned(a, b)
        : (a, b) -> type.integer(b) == 0 ? a : type.integer(a) % type.integer(b);
  }

  private static Op saturated(Operands o, LongBinaryOperator exact) {
    return Lanes.binary(
        o, (a, b) -> Math.clamp(exact.applyAsLong((int) a, (int) b), Integer.MIN_VALUE, Integer.MAX_VALUE));
  }

  private static Op add32(Operands o) {
    int d = o.reg(0);
    int a = o.reg(1);
    int b = o.reg(2);
    return (w, m) -> {
      long[] r = w.r;
      for (; m != 0; m &= m - 1) {
        int l = Integer.numberOfTrailingZeros(m);
        r[d + l] = (int) r[a + l] + (int) r[b + l];
      }
    };
  }

  private static Op add64(Operands o) {
    int d = o.reg(0);
    int a = o.reg(1);
    int b = o.reg(2);
    return (w, m) -> {
      long[] r = w.r;
      for (; m != 0; m &= m - 1) {
        int l = Integer.numberOfTrailingZeros(m);
        r[d + l] = r[a + l] + r[b + l];
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
        r[d + l] = r[a + l] - r[b + l];
      }
    };
  }

  private static Op multiply(Operands o) {
    Type type = o.type();
    if (o.has("hi")) {
      return Lanes.binary(o, high(type));
    }
    if (!o.has("wide")) {
      return product(o, 0, false);
    }
    return product(o, type.bytes * 8, type.signed());
  }

  /** Products of whole registers, or of their low bits as these numbers. */
  private static Op product(Operands o, int bits, boolean signed) {
    int d = o.reg(0);
    int a = o.reg(1);
    int b = o.reg(2);
    int shift = bits == 0 ? 0 : 64 - bits;
    return (w, m) -> {
      long[] r = w.r;
      for (; m != 0; m &= m - 1) {
        int l = Integer.numberOfTrailingZeros(m);
        long x = r[a + l] << shift;
        long y = r[b + l] << shift;
        r[d + l] = signed ? (x >> shift) * (y >> shift) : (x >>> shift) * (y >>> shift);
      }
    };
  }

  private static LongBinaryOperator high(Type type) {
    return switch (type) {
      case U64 -> Math::unsignedMultiplyHigh;
      case S64 -> Math::multiplyHigh;
      default -> (a, b) -> type.integer(a) * type.integer(b) >> type.bytes * 8;
    };
  }

  private static Op multiplyAdd(Operands o) {
    Type type = o.type();
    if (o.has("hi")) {
      LongBinaryOperator high = high(type);
      return Lanes.ternary(o, (a, b, c) -> high.applyAsLong(a, b) + c);
    }
    if (o.has("wide")) {
      return Lanes.ternary(o, (a, b, c) -> type.integer(a) * type.integer(b) + c);
    }
    int d = o.reg(0);
    int a = o.reg(1);
    int b = o.reg(2);
    int c = o.reg(3);
    return (w, m) -> {
      long[] r = w.r;
      for (; m != 0; m &= m - 1) {
        int l = Integer.numberOfTrailingZeros(m);
        r[d + l] = r[a + l] * r[b + l] + r[c + l];
      }
    };
  }

  /** Additions that leave a carry ({@code .cc}) or take one ({@code addc, subc, madc}). */
  private static Op carry(Operands o) {
    Type type = o.type();
    boolean product = o.name.startsWith("mad");
    boolean minus = o.name.startsWith("sub");
    boolean takes = o.name.endsWith("c");
    boolean leaves = o.has("cc");
    int d = o.reg(0);
    int a = o.reg(1);
    int b = o.reg(2);
    int c = product ? o.reg(3) : 0;
    LongBinaryOperator high = o.has("hi") ? high(type) : (x, y) -> x * y;
    return (w, m) -> {
      long[] r = w.r;
      int carries = w.carry;
      for (int left = m; left != 0; left &= left - 1) {
        int l = Integer.numberOfTrailingZeros(left);
        long x = product ? high.applyAsLong(r[a + l], r[b + l]) : r[a + l];
        long y = product ? r[c + l] : r[b + l];
        long in = takes ? carries >> l & 1 : 0;
        if (type.bytes == 4) {
          x &= 0xffff_ffffL;
          y &= 0xffff_ffffL;
        }
        long sum = minus ? x - y - in : x + y + in;
        boolean out;
        if (type.bytes == 4) {
          out = sum >>> 32 != 0;
        } else if (minus) {
          out = Long.compareUnsigned(x, y) < 0 || x == y && in != 0;
        } else {
          out = Long.compareUnsigned(sum, x) < 0 || sum == x && in != 0;
        }
        r[d + l] = sum;
        if (leaves) {
          w.carry = w.carry & ~(1 << l) | (out ? 1 << l : 0);
        }
      }
    };
  }
}
