package dev.fovea.kernels.ptx;

import org.jspecify.annotations.Nullable;

/** Moves, and packing and unpacking of vectors. */
final class Moves {
  private Moves() {}

  static @Nullable Op compile(Operands o) {
    if (o.type() == Type.PRED) {
      return predicate(o);
    }
    if (o.operand(1) instanceof Operand.Special(String name) && Specials.clock(name)) {
      return clock(o, name);
    }
    if (o.operand(0) instanceof Operand.Vector) {
      return unpack(o);
    }
    if (o.operand(1) instanceof Operand.Vector(var elements) && elements.size() > 1) {
      return pack(o);
    }
    int d = o.reg(0);
    int a = o.reg(1);
    return (w, m) -> {
      long[] r = w.r;
      if (m == -1) {
        System.arraycopy(r, a, r, d, Warp.LANES);
        return;
      }
      for (; m != 0; m &= m - 1) {
        int l = Integer.numberOfTrailingZeros(m);
        r[d + l] = r[a + l];
      }
    };
  }

  private static Op predicate(Operands o) {
    int d = o.pred(0);
    int a = o.source(1);
    return (w, m) -> w.p[d] = w.p[d] & ~m | Operands.value(w, a) & m;
  }

  private static Op clock(Operands o, String name) {
    int d = o.reg(0);
    int shift = name.endsWith("_hi") ? 32 : 0;
    return (w, m) -> {
      for (; m != 0; m &= m - 1) {
        w.r[d + Integer.numberOfTrailingZeros(m)] = w.executed >>> shift;
      }
    };
  }

  private static Op unpack(Operands o) {
    int[] d = o.regs(0);
    int a = o.reg(1);
    int bits = o.type().bytes * 8 / d.length;
    return (w, m) -> {
      long[] r = w.r;
      for (; m != 0; m &= m - 1) {
        int l = Integer.numberOfTrailingZeros(m);
        long value = r[a + l];
        for (int i = 0; i < d.length; i++) {
          r[d[i] + l] = value >>> i * bits & -1L >>> 64 - bits;
        }
      }
    };
  }

  private static Op pack(Operands o) {
    int d = o.reg(0);
    int[] a = o.regs(1);
    int bits = o.type().bytes * 8 / a.length;
    return (w, m) -> {
      long[] r = w.r;
      for (; m != 0; m &= m - 1) {
        int l = Integer.numberOfTrailingZeros(m);
        long value = 0;
        for (int i = 0; i < a.length; i++) {
          value |= (r[a[i] + l] & -1L >>> 64 - bits) << i * bits;
        }
        r[d + l] = value;
      }
    };
  }
}
