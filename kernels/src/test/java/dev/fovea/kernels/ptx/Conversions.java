package dev.fovea.kernels.ptx;

import org.jspecify.annotations.Nullable;

/** Conversions between types, and between addresses of spaces. */
final class Conversions {
  private Conversions() {}

  static @Nullable Op compile(Operands o) {
    return switch (o.name) {
      case "cvta" -> address(o);
      case "isspacep" -> inSpace(o);
      default -> convert(o);
    };
  }

  private static long window(Operands o) {
    return switch (o.space()) {
      case SHARED -> GlobalMemory.SHARED_WINDOW;
      case LOCAL -> GlobalMemory.LOCAL_WINDOW;
      case PARAM -> GlobalMemory.PARAM_WINDOW;
      default -> 0;
    };
  }

  /** From a space's address to a generic one ({@code cvta.shared}), or back ({@code cvta.to.shared}). */
  private static Op address(Operands o) {
    long window = window(o);
    return o.has("to") ? Lanes.unary(o, a -> a - window) : Lanes.unary(o, a -> a + window);
  }

  private static Op inSpace(Operands o) {
    int d = o.pred(0);
    int a = o.reg(1);
    long window = window(o);
    return (w, m) -> {
      int result = w.p[d] & ~m;
      for (int left = m; left != 0; left &= left - 1) {
        int l = Integer.numberOfTrailingZeros(left);
        result |= GlobalMemory.window(w.r[a + l]) == window ? 1 << l : 0;
      }
      w.p[d] = result;
    };
  }

  private static Op convert(Operands o) {
    Type to = o.type(0);
    Type from = o.typeCount() > 1 ? o.type(1) : to;
    if (to == Type.F16X2 || to == Type.BF16X2) {
      return pack(o, to, from);
    }
    if (!to.floating() && !from.floating()) {
      return integers(o, to, from);
    }
    Rounding.Mode mode = Rounding.Mode.of(o);
    boolean flush = o.has("ftz");
    if (!to.floating()) {
      return Lanes.unary(o, a -> toInteger(to, number(from, a, flush), mode));
    }
    boolean saturate = o.has("sat");
    boolean relu = o.has("relu");
    boolean whole = o.has("rni") || o.has("rzi") || o.has("rmi") || o.has("rpi");
    return Lanes.unary(o, a -> {
      if (!from.floating()) {
        return fromInteger(to, from, a, mode);
      }
      double value = number(from, a, flush);
      if (whole) {
        value = integral(value, mode);
      }
      if (saturate) {
        value = value > 0 ? Math.min(value, 1) : 0;
      }
      if (relu && value <= 0) {
        value = 0;
      }
      return rounded(to, value, mode, flush);
    });
  }

  private static double number(Type type, long bits, boolean flush) {
    return switch (type) {
      case F64 -> Double.longBitsToDouble(bits);
      case F16 -> Rounding.fromHalf(bits);
      case BF16 -> Rounding.fromBfloat(bits);
      default -> {
        float value = Float.intBitsToFloat((int) bits);
        yield flush ? Rounding.flush(value) : value;
      }
    };
  }

  private static long rounded(Type to, double value, Rounding.Mode mode, boolean flush) {
    return switch (to) {
      case F64 -> Double.doubleToRawLongBits(value);
      case F32 -> {
        float result = Rounding.toFloat(value, mode);
        yield Float.floatToRawIntBits(flush ? Rounding.flush(result) : result) & 0xffff_ffffL;
      }
      case F16 -> mode == Rounding.Mode.NEAREST ? Rounding.toHalf(value) : Rounding.toHalf((float) value, mode);
      case BF16 -> mode == Rounding.Mode.NEAREST ? Rounding.toBfloat(value) : Rounding.toBfloat((float) value, mode);
      default -> Rounding.toTf32((float) value, mode);
    };
  }

  private static long fromInteger(Type to, Type from, long bits, Rounding.Mode mode) {
    long value = from.integer(bits);
    double near = value;
    if (from == Type.U64 && value < 0) {
      // The lost bit is kept as a sticky one.
      near = 2.0 * (value >>> 1 | value & 1);
      value = 0;
    }
    if (to == Type.F64) {
      return Double.doubleToRawLongBits(near);
    }
    if (value != 0 && Math.abs(value) >= 1L << 53) {
      near = Rounding.sumToOdd((double) (value >> 32) * 0x1p32, value & 0xffff_ffffL);
    }
    return rounded(to, near, mode, false);
  }

  private static double integral(double value, Rounding.Mode mode) {
    return switch (mode) {
      case ZERO -> value < 0 ? Math.ceil(value) : Math.floor(value);
      case DOWN -> Math.floor(value);
      case UP -> Math.ceil(value);
      default -> Math.rint(value);
    };
  }

  /** Out of range becomes the nearest there is; not a number becomes zero (the highest bit in 64-bit integers). */
  private static long toInteger(Type to, double value, Rounding.Mode mode) {
    int bits = to.bytes * 8;
    if (Double.isNaN(value)) {
      return bits == 64 ? Long.MIN_VALUE : 0;
    }
    double whole = integral(value, mode);
    if (to.signed()) {
      double most = Math.scalb(1.0, bits - 1);
      return whole >= most ? (1L << bits - 1) - 1 : whole < -most ? -1L << bits - 1 : (long) whole;
    }
    if (whole <= 0) {
      return 0;
    }
    if (whole >= Math.scalb(1.0, bits)) {
      return -1L >>> 64 - bits;
    }
    return whole >= 0x1p63 ? (long) (whole - 0x1p63) + Long.MIN_VALUE : (long) whole;
  }

  private static Op integers(Operands o, Type to, Type from) {
    if (o.has("sat")) {
      int bits = to.bytes * 8;
      long least = to.signed() ? -1L << bits - 1 : 0;
      long most = to.signed() ? (1L << bits - 1) - 1 : bits == 64 ? Long.MAX_VALUE : (1L << bits) - 1;
      return Lanes.unary(o, a -> {
        long value = from.integer(a);
        return from == Type.U64 && value < 0 ? to == Type.U64 ? value : most : Math.clamp(value, least, most);
      });
    }
    int d = o.reg(0);
    int a = o.reg(1);
    // What is kept is the narrower of both; how it is extended, the type says whose width that is.
    Type narrow = to.bytes < from.bytes ? to : from;
    int shift = 64 - narrow.bytes * 8;
    boolean signed = narrow.signed();
    return (w, m) -> {
      long[] r = w.r;
      for (; m != 0; m &= m - 1) {
        int l = Integer.numberOfTrailingZeros(m);
        long value = r[a + l] << shift;
        r[d + l] = signed ? value >> shift : value >>> shift;
      }
    };
  }

  /** {@code cvt.rn.bf16x2.f32 d, high, low}. */
  private static Op pack(Operands o, Type to, Type from) {
    if (from != Type.F32 || o.has("rs")) {
      throw o.error("is a conversion that the PTX machine does not know");
    }
    Rounding.Mode mode = Rounding.Mode.of(o);
    boolean relu = o.has("relu");
    boolean brain = to == Type.BF16X2;
    return Lanes.binary(o, (a, b) -> (long) half(a, brain, mode, relu) << 16 | half(b, brain, mode, relu));
  }

  private static int half(long bits, boolean brain, Rounding.Mode mode, boolean relu) {
    float value = Float.intBitsToFloat((int) bits);
    if (relu && value <= 0) {
      value = 0;
    }
    return brain ? Rounding.toBfloat(value, mode) : Rounding.toHalf(value, mode);
  }
}
