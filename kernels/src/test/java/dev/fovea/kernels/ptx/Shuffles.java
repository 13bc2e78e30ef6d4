package dev.fovea.kernels.ptx;

import java.util.function.LongBinaryOperator;
import org.jspecify.annotations.Nullable;

/** What the lanes of a warp tell each other. */
final class Shuffles {
  private Shuffles() {}

  static @Nullable Op compile(Operands o) {
    return switch (o.name) {
      case "shfl" -> shuffle(o);
      case "vote" -> vote(o);
      case "match" -> match(o);
      case "redux" -> reduce(o);
      case "elect" -> elect(o);
      default -> active(o);
    };
  }

  /** The lanes that execute the instruction together: those of its mask, or none yet. */
  private static int together(Warp w, int m, int mask) {
    return w.together(m, (int) w.r[mask + Integer.numberOfTrailingZeros(m)]);
  }

  private static Op shuffle(Operands o) {
    Operand.Pair pair = o.operand(0) instanceof Operand.Pair two ? two : null;
    int d = pair == null ? o.reg(0) : o.reg(pair.first());
    int p = pair == null ? -1 : o.pred(pair.second());
    int a = o.reg(1);
    int b = o.reg(2);
    int c = o.reg(3);
    if (!o.has("sync")) {
      throw o.error("is a shuffle without .sync, which no GPU since sm_70 has");
    }
    int mask = o.reg(4);
    String mode = o.part(2);
    return (w, m) -> {
      int lanes = together(w, m, mask);
      if (lanes == 0) {
        return;
      }
      long[] r = w.r;
      System.arraycopy(r, a, w.exchange, 0, Warp.LANES);
      int inside = 0;
      for (int left = lanes; left != 0; left &= left - 1) {
        int l = Integer.numberOfTrailingZeros(left);
        int from = source(mode, l, (int) r[b + l] & 31, (int) r[c + l]);
        if (from >= 0) {
          inside |= 1 << l;
        } else {
          from = l;
        }
        if ((lanes >> from & 1) == 0) {
          throw w.fault(l, "shuffles from lane " + from + ", which does not take part (lanes " + Warp.hex(lanes) + ")");
        }
        r[d + l] = w.exchange[from];
      }
      if (p >= 0) {
        w.p[p] = w.p[p] & ~lanes | inside;
      }
    };
  }

  /** The lane whose value is taken; -1 for one outside of the segment. */
  private static int source(String mode, int lane, int b, int c) {
    int segment = c >> 8 & 31;
    int clamp = c & 31;
    int most = lane & segment | clamp & ~segment;
    int least = lane & segment;
    return switch (mode) {
      case "up" -> lane - b >= most ? lane - b : -1;
      case "down" -> lane + b <= most ? lane + b : -1;
      case "bfly" -> (lane ^ b) <= most ? lane ^ b : -1;
      default -> (least | b & ~segment) <= most ? least | b & ~segment : -1;
    };
  }

  private static Op vote(Operands o) {
    boolean ballot = o.has("ballot");
    int d = ballot ? o.reg(0) : o.pred(0);
    int a = o.source(1);
    int mask = o.reg(2);
    String mode = o.part(2);
    return (w, m) -> {
      int lanes = together(w, m, mask);
      if (lanes == 0) {
        return;
      }
      int yes = Operands.value(w, a) & lanes;
      if (ballot) {
        give(w, d, lanes, yes & 0xffff_ffffL);
        return;
      }
      boolean holds = switch (mode) {
        case "all" -> yes == lanes;
        case "any" -> yes != 0;
        default -> yes == lanes || yes == 0;
      };
      w.p[d] = w.p[d] & ~lanes | (holds ? lanes : 0);
    };
  }

  private static void give(Warp w, int d, int lanes, long value) {
    for (int m = lanes; m != 0; m &= m - 1) {
      w.r[d + Integer.numberOfTrailingZeros(m)] = value;
    }
  }

  private static Op match(Operands o) {
    Operand.Pair pair = o.operand(0) instanceof Operand.Pair two ? two : null;
    int d = pair == null ? o.reg(0) : o.reg(pair.first());
    int p = pair == null ? -1 : o.pred(pair.second());
    int a = o.reg(1);
    int mask = o.reg(2);
    boolean all = o.has("all");
    Type type = o.type();
    return (w, m) -> {
      int lanes = together(w, m, mask);
      for (int left = lanes; left != 0; left &= left - 1) {
        int l = Integer.numberOfTrailingZeros(left);
        int same = 0;
        for (int others = lanes; others != 0; others &= others - 1) {
          int k = Integer.numberOfTrailingZeros(others);
          same |= type.integer(w.r[a + k]) == type.integer(w.r[a + l]) ? 1 << k : 0;
        }
        w.exchange[l] = all && same != lanes ? 0 : same & 0xffff_ffffL;
      }
      for (int left = lanes; left != 0; left &= left - 1) {
        int l = Integer.numberOfTrailingZeros(left);
        w.r[d + l] = w.exchange[l];
        if (p >= 0) {
          w.p[p] = w.p[p] & ~(1 << l) | (w.exchange[l] != 0 ? 1 << l : 0);
        }
      }
    };
  }

  private static Op reduce(Operands o) {
    int d = o.reg(0);
    int a = o.reg(1);
    int mask = o.reg(2);
    Type type = o.type();
    LongBinaryOperator with = switch (o.part(2)) {
      case "add" -> Long::sum;
      case "min" -> Integers.minimum(type);
      case "max" -> Integers.maximum(type);
      case "and" -> (x, y) -> x & y;
      case "or" -> (x, y) -> x | y;
      case "xor" -> (x, y) -> x ^ y;
      default -> throw o.error("is a reduction that the PTX machine does not know");
    };
    if (type.floating()) {
      throw o.error("is a reduction that the PTX machine does not know");
    }
    return (w, m) -> {
      int lanes = together(w, m, mask);
      if (lanes == 0) {
        return;
      }
      int first = Integer.numberOfTrailingZeros(lanes);
      long result = type.integer(w.r[a + first]);
      for (int left = lanes & lanes - 1; left != 0; left &= left - 1) {
        result = with.applyAsLong(result, type.integer(w.r[a + Integer.numberOfTrailingZeros(left)]));
      }
      give(w, d, lanes, result);
    };
  }

  private static Op elect(Operands o) {
    Operand.Pair pair = (Operand.Pair) o.operand(0);
    int d = o.reg(pair.first());
    int p = o.pred(pair.second());
    int mask = o.reg(1);
    return (w, m) -> {
      int lanes = together(w, m, mask);
      if (lanes == 0) {
        return;
      }
      give(w, d, lanes, Integer.numberOfTrailingZeros(lanes));
      w.p[p] = w.p[p] & ~lanes | Integer.lowestOneBit(lanes);
    };
  }

  private static Op active(Operands o) {
    int d = o.reg(0);
    return (w, m) -> give(w, d, m, m & 0xffff_ffffL);
  }
}
