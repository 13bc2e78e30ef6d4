package dev.fovea.kernels.ptx;

import org.jspecify.annotations.Nullable;

/** Comparisons, selections, and logic of predicates. */
final class Selections {
  private Selections() {}

  /** Compares the values of a lane; which comparison it is was decided before. */
  @FunctionalInterface
  private interface Comparison {
    boolean holds(long a, long b);
  }

  static @Nullable Op compile(Operands o) {
    return switch (o.name) {
      case "setp" -> setPredicate(o);
      case "set" -> set(o);
      case "selp" -> select(o);
      default -> selectBySign(o);
    };
  }

  /** {@code and, or, xor, not} of predicates: all lanes at once. */
  static Op logic(Operands o) {
    int d = o.pred(0);
    int a = o.source(1);
    int b = o.name.equals("not") ? 0 : o.source(2);
    String name = o.name;
    return (w, m) -> {
      int x = Operands.value(w, a);
      int y = Operands.value(w, b);
      int result = switch (name) {
        case "and" -> x & y;
        case "or" -> x | y;
        case "xor" -> x ^ y;
        default -> ~x;
      };
      w.p[d] = w.p[d] & ~m | result & m;
    };
  }

  private static Op setPredicate(Operands o) {
    Operand.Pair pair = o.operand(0) instanceof Operand.Pair two ? two : null;
    int p = pair == null ? o.pred(0) : o.pred(pair.first());
    int q = pair == null ? -1 : o.pred(pair.second());
    String combine = o.has("and") ? "and" : o.has("or") ? "or" : o.has("xor") ? "xor" : "";
    int c = combine.isEmpty() ? 0 : o.source(3);
    Op compare = comparing(o, q < 0 && combine.isEmpty() ? p : -1);
    if (q < 0 && combine.isEmpty()) {
      return compare;
    }
    return (w, m) -> {
      compare.run(w, m);
      int holds = w.compared;
      int with = Operands.value(w, c);
      if (p >= 0) {
        w.p[p] = w.p[p] & ~m | combined(combine, holds, with) & m;
      }
      if (q >= 0) {
        w.p[q] = w.p[q] & ~m | combined(combine, ~holds, with) & m;
      }
    };
  }

  private static int combined(String how, int holds, int with) {
    return switch (how) {
      case "and" -> holds & with;
      case "or" -> holds | with;
      case "xor" -> holds ^ with;
      default -> holds;
    };
  }

  /** Compares operands 1 and 2 into a predicate, or into the warp's scratch for -1. */
  private static Op comparing(Operands o, int p) {
    Type type = o.type();
    String how = o.part(1);
    int a = o.reg(1);
    int b = o.reg(2);
    if (type == Type.S32 && p >= 0) {
      return signed32(how, p, a, b);
    }
    Comparison comparison = comparison(o, type, how);
    return (w, m) -> {
      long[] r = w.r;
      int result = 0;
      for (int left = m; left != 0; left &= left - 1) {
        int l = Integer.numberOfTrailingZeros(left);
        result |= comparison.holds(r[a + l], r[b + l]) ? 1 << l : 0;
      }
      w.compared = result;
      if (p >= 0) {
        w.p[p] = w.p[p] & ~m | result;
      }
    };
  }

  /** The commonest comparison: which signs of a difference satisfy it. */
  private static Op signed32(String how, int p, int a, int b) {
    boolean less = how.equals("lt") || how.equals("le") || how.equals("ne");
    boolean equal = how.equals("eq") || how.equals("le") || how.equals("ge");
    boolean greater = how.equals("gt") || how.equals("ge") || how.equals("ne");
    return (w, m) -> {
      long[] r = w.r;
      int result = 0;
      for (int left = m; left != 0; left &= left - 1) {
        int l = Integer.numberOfTrailingZeros(left);
        int x = (int) r[a + l];
        int y = (int) r[b + l];
        boolean holds = x < y ? less : x == y ? equal : greater;
        result |= holds ? 1 << l : 0;
      }
      w.p[p] = w.p[p] & ~m | result;
    };
  }

  private static Comparison comparison(Operands o, Type type, String how) {
    if (type == Type.U64) {
      return switch (how) {
        case "lt", "lo" -> (a, b) -> Long.compareUnsigned(a, b) < 0;
        case "le", "ls" -> (a, b) -> Long.compareUnsigned(a, b) <= 0;
        case "gt", "hi" -> (a, b) -> Long.compareUnsigned(a, b) > 0;
        case "ge", "hs" -> (a, b) -> Long.compareUnsigned(a, b) >= 0;
        case "eq" -> (a, b) -> a == b;
        case "ne" -> (a, b) -> a != b;
        default -> throw o.error("is a comparison that the PTX machine does not know");
      };
    }
    if (type.floating()) {
      boolean flush = o.has("ftz");
      return (a, b) -> floats(how, number(type, a, flush), number(type, b, flush));
    }
    return switch (how) {
      case "lt", "lo" -> (a, b) -> type.integer(a) < type.integer(b);
      case "le", "ls" -> (a, b) -> type.integer(a) <= type.integer(b);
      case "gt", "hi" -> (a, b) -> type.integer(a) > type.integer(b);
      case "ge", "hs" -> (a, b) -> type.integer(a) >= type.integer(b);
      case "eq" -> (a, b) -> type.integer(a) == type.integer(b);
      case "ne" -> (a, b) -> type.integer(a) != type.integer(b);
      default -> throw o.error("is a comparison that the PTX machine does not know");
    };
  }

  private static boolean floats(String how, double a, double b) {
    return switch (how) {
      case "lt" -> a < b;
      case "le" -> a <= b;
      case "gt" -> a > b;
      case "ge" -> a >= b;
      case "eq" -> a == b;
      case "ne" -> a < b || a > b;
      case "ltu" -> !(a >= b);
      case "leu" -> !(a > b);
      case "gtu" -> !(a <= b);
      case "geu" -> !(a < b);
      case "equ" -> !(a < b || a > b);
      case "neu" -> a != b;
      case "num" -> !Double.isNaN(a) && !Double.isNaN(b);
      default -> Double.isNaN(a) || Double.isNaN(b);
    };
  }

  private static double number(Type type, long bits, boolean flush) {
    return switch (type) {
      case F64 -> Double.longBitsToDouble(bits);
      case F16 -> Rounding.fromHalf(bits);
      case BF16 -> Rounding.fromBfloat(bits);
      default -> flush ? Rounding.flush(Float.intBitsToFloat((int) bits)) : Float.intBitsToFloat((int) bits);
    };
  }

  /** {@code set.lt.u32.f32 d, a, b}: all ones, or 1.0, where it holds. */
  private static Op set(Operands o) {
    Type type = o.type(0);
    Type source = o.type(1);
    if (source == Type.F16X2 || source == Type.BF16X2) {
      return setPairs(o, type, source);
    }
    Op compare = comparing(o, -1);
    int d = o.reg(0);
    long yes = type == Type.F32 ? 0x3f80_0000L : type == Type.F16 ? 0x3c00 : type == Type.BF16 ? 0x3f80 : -1L;
    return (w, m) -> {
      compare.run(w, m);
      int result = w.compared;
      for (; m != 0; m &= m - 1) {
        int l = Integer.numberOfTrailingZeros(m);
        w.r[d + l] = (result >> l & 1) != 0 ? yes : 0;
      }
    };
  }

  private static Op setPairs(Operands o, Type type, Type source) {
    String how = o.part(1);
    Type half = source == Type.F16X2 ? Type.F16 : Type.BF16;
    long yes = type == Type.F16X2 ? 0x3c00 : type == Type.BF16X2 ? 0x3f80 : 0xffff;
    return Lanes.binary(o, (a, b) -> {
      long low = floats(how, number(half, a, false), number(half, b, false)) ? yes : 0;
      long high = floats(how, number(half, a >>> 16, false), number(half, b >>> 16, false)) ? yes : 0;
      return high << 16 | low;
    });
  }

  private static Op select(Operands o) {
    int d = o.reg(0);
    int a = o.reg(1);
    int b = o.reg(2);
    int p = o.source(3);
    return (w, m) -> {
      long[] r = w.r;
      int chosen = Operands.value(w, p);
      for (; m != 0; m &= m - 1) {
        int l = Integer.numberOfTrailingZeros(m);
        r[d + l] = (chosen >> l & 1) != 0 ? r[a + l] : r[b + l];
      }
    };
  }

  private static Op selectBySign(Operands o) {
    if (o.type() == Type.F32) {
      return Lanes.ternary(o, (a, b, c) -> Float.intBitsToFloat((int) c) >= 0 ? a : b);
    }
    return Lanes.ternary(o, (a, b, c) -> (int) c >= 0 ? a : b);
  }
}
