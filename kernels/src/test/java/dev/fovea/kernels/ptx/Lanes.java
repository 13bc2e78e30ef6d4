package dev.fovea.kernels.ptx;

import java.util.function.LongBinaryOperator;
import java.util.function.LongUnaryOperator;

/** Loops over lanes for the rarer instructions, which differ in a function only. */
final class Lanes {
  private Lanes() {}

  /** A function of three registers. */
  @FunctionalInterface
  interface Ternary {
    long apply(long a, long b, long c);
  }

  static Op unary(Operands o, LongUnaryOperator f) {
    int d = o.reg(0);
    int a = o.reg(1);
    return (w, m) -> {
      long[] r = w.r;
      for (; m != 0; m &= m - 1) {
        int l = Integer.numberOfTrailingZeros(m);
        r[d + l] = f.applyAsLong(r[a + l]);
      }
    };
  }

  static Op binary(Operands o, LongBinaryOperator f) {
    int d = o.reg(0);
    int a = o.reg(1);
    int b = o.reg(2);
    return (w, m) -> {
      long[] r = w.r;
      for (; m != 0; m &= m - 1) {
        int l = Integer.numberOfTrailingZeros(m);
        r[d + l] = f.applyAsLong(r[a + l], r[b + l]);
      }
    };
  }

  static Op ternary(Operands o, Ternary f) {
    int d = o.reg(0);
    int a = o.reg(1);
    int b = o.reg(2);
    int c = o.reg(3);
    return (w, m) -> {
      long[] r = w.r;
      for (; m != 0; m &= m - 1) {
        int l = Integer.numberOfTrailingZeros(m);
        r[d + l] = f.apply(r[a + l], r[b + l], r[c + l]);
      }
    };
  }
}
