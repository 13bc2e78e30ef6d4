package dev.fovea.kernels.ptx;

import org.jspecify.annotations.Nullable;

/** Logic, shifts and bit fields. */
final class Bits {
  private Bits() {}

  static @Nullable Op compile(Operands o) {
    Type type = o.type();
    int width = type.bytes * 8;
    return switch (o.name) {
      case "and" -> and(o);
      case "or" -> or(o);
      case "xor" -> xor(o);
      case "not" -> Lanes.unary(o, a -> ~a);
      case "cnot" -> Lanes.unary(o, a -> type.integer(a) == 0 ? 1 : 0);
      case "lop3" -> logic3(o);
      case "shl" -> shiftLeft(o, width);
      case "shr" -> shiftRight(o, type, width);
      case "shf" -> funnel(o);
      case "bfe" -> Lanes.ternary(o, (a, b, c) -> extract(type, a, (int) b & 255, (int) c & 255));
      case "bfi" -> insert(o, width);
      case "prmt" -> Lanes.ternary(o, permutation(o));
      case "popc" -> Lanes.unary(o, a -> Long.bitCount(type.integer(a)));
      case "clz" -> Lanes.unary(o, a -> Long.numberOfLeadingZeros(type.integer(a)) - (64 - width));
      case "brev" -> Lanes.unary(o, a -> Long.reverse(a) >>> 64 - width);
      case "bfind" -> Lanes.unary(o, a -> find(type, a, o.has("shiftamt")));
      case "bmsk" -> Lanes.binary(o, (a, b) -> mask((int) a, (int) b, o.has("wrap")));
      default -> null;
    };
  }

  private static Op and(Operands o) {
    int d = o.reg(0);
    int a = o.reg(1);
    int b = o.reg(2);
    return (w, m) -> {
      long[] r = w.r;
      for (; m != 0; m &= m - 1) {
        int l = Integer.numberOfTrailingZeros(m);
        r[d + l] = r[a + l] & r[b + l];
      }
    };
  }

  private static Op or(Operands o) {
    int d = o.reg(0);
    int a = o.reg(1);
    int b = o.reg(2);
    return (w, m) -> {
      long[] r = w.r;
      for (; m != 0; m &= m - 1) {
        int l = Integer.numberOfTrailingZeros(m);
        r[d + l] = r[a + l] | r[b + l];
      }
    };
  }

  private static Op xor(Operands o) {
    int d = o.reg(0);
    int a = o.reg(1);
    int b = o.reg(2);
    return (w, m) -> {
      long[] r = w.r;
      for (; m != 0; m &= m - 1) {
        int l = Integer.numberOfTrailingZeros(m);
        r[d + l] = r[a + l] ^ r[b + l];
      }
    };
  }

  private static Op shiftLeft(Operands o, int width) {
    int d = o.reg(0);
    int a = o.reg(1);
    int b = o.reg(2);
    return (w, m) -> {
      long[] r = w.r;
      for (; m != 0; m &= m - 1) {
        int l = Integer.numberOfTrailingZeros(m);
        int by = (int) r[b + l];
        r[d + l] = by >= 0 && by < width ? r[a + l] << by : 0;
      }
    };
  }

  private static Op shiftRight(Operands o, Type type, int width) {
    int d = o.reg(0);
    int a = o.reg(1);
    int b = o.reg(2);
    boolean signed = type.signed();
    int up = 64 - width;
    return (w, m) -> {
      long[] r = w.r;
      for (; m != 0; m &= m - 1) {
        int l = Integer.numberOfTrailingZeros(m);
        int by = (int) r[b + l];
        long x = r[a + l] << up;
        if (signed) {
          r[d + l] = x >> up >> (by >= 0 && by < width ? by : 63);
        } else {
          r[d + l] = by >= 0 && by < width ? x >>> up >>> by : 0;
        }
      }
    };
  }

  private static Op funnel(Operands o) {
    boolean clamp = o.has("clamp");
    boolean left = o.has("l");
    return Lanes.ternary(o, (a, b, c) -> {
      int by = clamp ? (int) Math.min(c & 0xffff_ffffL, 32) : (int) c & 31;
      long both = b << 32 | a & 0xffff_ffffL;
      return left ? both << by >>> 32 : both >>> by;
    });
  }

  private static long extract(Type type, long a, int from, int length) {
    int width = type.bytes * 8;
    long value = type.integer(a);
    long shifted = from >= width ? 0 : (width == 64 ? value : value & 0xffff_ffffL) >>> from;
    if (length == 0) {
      return 0;
    }
    int sign = Math.min(from + length - 1, width - 1);
    boolean negative = type.signed() && (value >>> sign & 1) != 0;
    int kept = Math.min(length, Math.max(0, width - from));
    long field = kept >= 64 ? shifted : shifted & (1L << kept) - 1;
    return negative ? kept >= 64 ? field : field | -1L << kept : field;
  }

  private static Op insert(Operands o, int width) {
    int f = o.reg(0);
    int a = o.reg(1);
    int b = o.reg(2);
    int c = o.reg(3);
    int d = o.reg(4);
    return (w, m) -> {
      long[] r = w.r;
      for (; m != 0; m &= m - 1) {
        int l = Integer.numberOfTrailingZeros(m);
        int from = (int) r[c + l] & 255;
        int length = Math.min((int) r[d + l] & 255, Math.max(0, width - from));
        long field = length == 0 ? 0 : -1L >>> 64 - length << from;
        r[f + l] = r[b + l] & ~field | r[a + l] << from & field;
      }
    };
  }

  private static Lanes.Ternary permutation(Operands o) {
    if (o.parts() > 2) {
      String mode = o.part(2);
      return (a, b, c) -> permuted(a, b, selector(mode, (int) c & 3));
    }
    return (a, b, c) -> permuted(a, b, (int) c);
  }

  private static int selector(String mode, int c) {
    return switch (mode) {
      case "f4e" -> new int[] {0x3210, 0x4321, 0x5432, 0x6543}[c];
      case "b4e" -> new int[] {0x5670, 0x6701, 0x7012, 0x0123}[c];
      case "rc8" -> 0x1111 * c;
      case "ecl" -> new int[] {0x3210, 0x3211, 0x3222, 0x3333}[c];
      case "ecr" -> new int[] {0x0000, 0x1110, 0x2210, 0x3210}[c];
      default -> new int[] {0x1010, 0x3232}[c & 1];
    };
  }

  private static long permuted(long a, long b, int selector) {
    long bytes = b << 32 | a & 0xffff_ffffL;
    long result = 0;
    for (int i = 0; i < 4; i++) {
      int choice = selector >> 4 * i;
      int value = (int) (bytes >>> 8 * (choice & 7)) & 255;
      if ((choice & 8) != 0) {
        value = (value & 128) != 0 ? 255 : 0;
      }
      result |= (long) value << 8 * i;
    }
    return result;
  }

  private static long find(Type type, long a, boolean shift) {
    long value = type.integer(a);
    long magnitude = type.signed() && value < 0 ? ~value : value;
    if (magnitude == 0) {
      return 0xffff_ffffL;
    }
    int position = 63 - Long.numberOfLeadingZeros(magnitude);
    return shift ? type.bytes * 8 - 1 - position : position;
  }

  private static long mask(int from, int length, boolean wrap) {
    int start = wrap ? from & 31 : from;
    int bits = wrap ? length & 31 : Math.min(length, 32);
    return start < 0 || start > 31 ? 0 : (1L << bits) - 1 << start & 0xffff_ffffL;
  }

  private static Op logic3(Operands o) {
    int table = o.number(4);
    return Lanes.ternary(o, (a, b, c) -> {
      long result = 0;
      for (int i = 0; i < 8; i++) {
        if ((table >> i & 1) != 0) {
          result |= ((i & 4) != 0 ? a : ~a) & ((i & 2) != 0 ? b : ~b) & ((i & 1) != 0 ? c : ~c);
        }
      }
      return result;
    });
  }
}
