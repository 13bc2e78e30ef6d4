package dev.fovea.kernels.ptx;

import org.jspecify.annotations.Nullable;

/** Comparisons, selections, and logic of predicates. */
final class Selections {
  private Selections() {}

  private static final int LESS = 1;
  private static final int EQUAL = 2;
  private static final int GREATER = 4;
  private static final int UNORDERED = 8;

  /** How the values of a lane relate. */
  @FunctionalInterface
  private interface Relation {
    int of(long a, long b);
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
    int accepted = accepted(o, o.part(1));
    int a = o.reg(1);
    int b = o.reg(2);
    boolean flush = o.has("ftz");
    if (type == Type.F32 && !flush) {
      return floats(accepted, p, a, b);
    }
    if (type == Type.S32 || type == Type.U32 || type == Type.B32) {
      // Unsigned numbers compare as signed ones that are moved by half the range.
      return integers(accepted, p, a, b, type == Type.U32 ? Integer.MIN_VALUE : 0);
    }
    Relation relation = relation(type, flush);
    return (w, m) -> {
      long[] r = w.r;
      int result = 0;
      for (int left = m; left != 0; left &= left - 1) {
        int l = Integer.numberOfTrailingZeros(left);
        result |= (relation.of(r[a + l], r[b + l]) & accepted) != 0 ? 1 << l : 0;
      }
      give(w, m, p, result);
    };
  }

  private static void give(Warp w, int m, int p, int result) {
    w.compared = result;
    if (p >= 0) {
      w.p[p] = w.p[p] & ~m | result;
    }
  }

  private static Op integers(int accepted, int p, int a, int b, int move) {
    return (w, m) -> {
      long[] r = w.r;
      int result = 0;
      for (int left = m; left != 0; left &= left - 1) {
        int l = Integer.numberOfTrailingZeros(left);
        int x = (int) r[a + l] + move;
        int y = (int) r[b + l] + move;
        int relation = x < y ? LESS : x == y ? EQUAL : GREATER;
        result |= (relation & accepted) != 0 ? 1 << l : 0;
      }
      give(w, m, p, result);
    };
  }

  private static Op floats(int accepted, int p, int a, int b) {
    return (w, m) -> {
      long[] r = w.r;
      int result = 0;
      for (int left = m; left != 0; left &= left - 1) {
        int l = Integer.numberOfTrailingZeros(left);
        float x = Float.intBitsToFloat((int) r[a + l]);
        float y = Float.intBitsToFloat((int) r[b + l]);
        int relation = x < y ? LESS : x == y ? EQUAL : x > y ? GREATER : UNORDERED;
        result |= (relation & accepted) != 0 ? 1 << l : 0;
      }
      give(w, m, p, result);
    };
  }

  /** The relations that satisfy a comparison. */
  private static int accepted(Operands o, String how) {
    return switch (how) {
      case "lt", "lo" -> LESS;
      case "le", "ls" -> LESS | EQUAL;
      case "gt", "hi" -> GREATER;
      case "ge", "hs" -> GREATER | EQUAL;
      case "eq" -> EQUAL;
      case "ne" -> LESS | GREATER;
      case "ltu" -> LESS | UNORDERED;
      case "leu" -> LESS | EQUAL | UNORDERED;
      case "gtu" -> GREATER | UNORDERED;
      case "geu" -> GREATER | EQUAL | UNORDERED;
      case "equ" -> EQUAL | UNORDERED;
      case "neu" -> LESS | GREATER | UNORDERED;
      case "num" -> LESS | EQUAL | GREATER;
      case "nan" -> UNORDERED;
      default -> throw o.error("is a comparison that the PTX machine does not know");
    };
  }

  private static Relation relation(Type type, boolean flush) {
    if (type.floating()) {
      return (a, b) -> ordered(number(type, a, flush), number(type, b, flush));
    }
    if (type == Type.U64) {
      return (a, b) -> ordered(Long.compareUnsigned(a, b));
    }
    return (a, b) -> ordered(Long.compare(type.integer(a), type.integer(b)));
  }

  private static int ordered(double a, double b) {
    return a < b ? LESS : a == b ? EQUAL : a > b ? GREATER : UNORDERED;
  }

  private static int ordered(int sign) {
    return sign < 0 ? LESS : sign == 0 ? EQUAL : GREATER;
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
    int accepted = accepted(o, o.part(1));
    Type half = source == Type.F16X2 ? Type.F16 : Type.BF16;
    long yes = type == Type.F16X2 ? 0x3c00 : type == Type.BF16X2 ? 0x3f80 : 0xffff;
    return Lanes.binary(o, (a, b) -> {
      long low = (ordered(number(half, a, false), number(half, b, false)) & accepted) != 0 ? yes : 0;
      long high = (ordered(number(half, a >>> 16, false), number(half, b >>> 16, false)) & accepted) != 0 ? yes : 0;
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
