package dev.fovea.kernels.ptx;

import java.util.function.LongBinaryOperator;

/**
 * Atomic operations. On global memory a warp's take place one after another under a lock of the device; blocks that run
 * beside each other come in any order, as on a GPU, so sums of floats may differ in their last bits.
 */
final class Atomics {
  private Atomics() {}

  static Op compile(Operands o) {
    return switch (o.space()) {
      case GLOBAL -> new Global(o);
      case SHARED -> shared(new Change(o));
      case GENERIC -> Loads.generic(new Global(o), shared(new Change(o)), nowhere(), nowhere());
      default -> throw o.error("has a space that the PTX machine does not know");
    };
  }

  private static Op nowhere() {
    return (w, m) -> {
      throw w.fault(Integer.numberOfTrailingZeros(m), "changes memory of its own atomically");
    };
  }

  /** What an atomic operation says. */
  private static final class Change {
    /** The offsets of the registers for the old values; none for {@code red}. */
    final int[] d;

    final int a;
    final long offset;
    final int[] b;
    final int c;
    final int bytes;
    final boolean swap;
    final LongBinaryOperator with;

    Change(Operands o) {
      boolean reduction = o.name.equals("red");
      int first = reduction ? 0 : 1;
      d = reduction ? new int[0] : o.regs(0);
      a = o.base(first);
      offset = o.offset(first);
      b = o.regs(first + 1);
      swap = o.has("cas");
      c = swap ? o.reg(first + 2) : 0;
      bytes = o.type().bytes;
      with = swap ? (x, y) -> y : operation(o, o.type());
      if (bytes > 8) {
        throw o.error("has a type that the PTX machine does not change atomically");
      }
    }

    int span() {
      return bytes * b.length;
    }

    long changed(long old, long[] r, int element, int l) {
      long operand = r[b[element] + l];
      if (!swap) {
        return with.applyAsLong(old, operand);
      }
      long mask = -1L >>> 64 - bytes * 8;
      return (old & mask) == (operand & mask) ? r[c + l] : old;
    }

    void took(long[] r, int element, int l, long old) {
      if (d.length > 0) {
        r[d[element] + l] = old;
      }
    }
  }

  private static LongBinaryOperator operation(Operands o, Type type) {
    for (int i = 1; i < o.parts(); i++) {
      LongBinaryOperator found = switch (o.part(i)) {
        case "add" -> sum(type);
        case "min" -> type.floating() ? extreme(type, true) : Integers.minimum(type);
        case "max" -> type.floating() ? extreme(type, false) : Integers.maximum(type);
        case "and" -> (x, y) -> x & y;
        case "or" -> (x, y) -> x | y;
        case "xor" -> (x, y) -> x ^ y;
        case "exch" -> (x, y) -> y;
        case "inc" -> (x, y) -> (x & 0xffff_ffffL) >= (y & 0xffff_ffffL) ? 0 : x + 1;
        case "dec" -> (x, y) -> (int) x == 0 || (x & 0xffff_ffffL) > (y & 0xffff_ffffL) ? y : x - 1;
        default -> null;
      };
      if (found != null) {
        return found;
      }
    }
    throw o.error("is an operation that the PTX machine does not know");
  }

  private static LongBinaryOperator sum(Type type) {
    return switch (type) {
      case F32 ->
        (x, y) -> Float.floatToRawIntBits(Float.intBitsToFloat((int) x) + Float.intBitsToFloat((int) y)) & 0xffff_ffffL;
      case F64 -> (x, y) -> Double.doubleToRawLongBits(Double.longBitsToDouble(x) + Double.longBitsToDouble(y));
      case F16 -> (x, y) -> Rounding.toHalf((double) Rounding.fromHalf(x) + Rounding.fromHalf(y));
      case BF16 -> (x, y) -> Rounding.toBfloat(Rounding.sumToOdd(Rounding.fromBfloat(x), Rounding.fromBfloat(y)));
      case F16X2, BF16X2 -> {
        LongBinaryOperator one = sum(type == Type.F16X2 ? Type.F16 : Type.BF16);
        yield (x, y) -> one.applyAsLong(x >>> 16, y >>> 16) << 16 | one.applyAsLong(x, y);
      }
      default -> Long::sum;
    };
  }

  private static LongBinaryOperator extreme(Type type, boolean least) {
    boolean brain = type == Type.BF16 || type == Type.BF16X2;
    LongBinaryOperator one = (x, y) -> {
      float a = brain ? Rounding.fromBfloat(x) : Rounding.fromHalf(x);
      float b = brain ? Rounding.fromBfloat(y) : Rounding.fromHalf(y);
      float result = Floats.least(a, b, least, false);
      return brain ? Rounding.toBfloat(result) : Rounding.toHalf(result);
    };
    return switch (type) {
      case F16, BF16 -> one;
      case F16X2, BF16X2 -> (x, y) -> one.applyAsLong(x >>> 16, y >>> 16) << 16 | one.applyAsLong(x, y);
      default ->
        (x, y) -> Float.floatToRawIntBits(
            Floats.least(Float.intBitsToFloat((int) x), Float.intBitsToFloat((int) y), least, false));
    };
  }

  /** On global memory. */
  static final class Global implements Op {
    private final Change x;

    Global(Operands o) {
      x = new Change(o);
    }

    int base() {
      return x.a;
    }

    @Override
    public void run(Warp w, int m) {
      long[] r = w.r;
      GlobalMemory memory = w.block.launch.memory();
      int span = x.span();
      synchronized (memory) {
        for (; m != 0; m &= m - 1) {
          int l = Integer.numberOfTrailingZeros(m);
          long address = r[x.a + l] + x.offset;
          Allocation allocation = memory.find(w, l, address, span, "changes");
          if ((address & span - 1) != 0) {
            throw w.fault(
                l, "changes " + span + " bytes at " + Warp.hex(address) + ", which is misaligned, in " + allocation);
          }
          long at = address - allocation.base;
          byte[] valid = allocation.valid;
          if (valid != null && w.block.launch.checks().memory() && !Words.valid(valid, at, span)) {
            throw w.fault(
                l, "changes " + span + " bytes at " + Warp.hex(address) + ", uninitialised, in " + allocation);
          }
          if (w.block.order != null) {
            w.block.order.change(address);
          }
          for (int i = 0; i < x.b.length; i++) {
            long old = Words.get(allocation.words, at + i * x.bytes, x.bytes);
            long changed = x.changed(old, r, i, l);
            Words.putShared(allocation.words, at + i * x.bytes, x.bytes, changed);
            x.took(r, i, l, old);
          }
        }
      }
    }
  }

  private static Op shared(Change x) {
    return (w, m) -> {
      SharedMemory shared = w.block.shared;
      for (; m != 0; m &= m - 1) {
        int l = Integer.numberOfTrailingZeros(m);
        int at = shared.offset(w, l, w.r[x.a + l] + x.offset, x.span(), "changes");
        for (int i = 0; i < x.b.length; i++) {
          long old = shared.getAtomic(w, l, at + i * x.bytes, x.bytes);
          shared.putAtomic(at + i * x.bytes, x.bytes, x.changed(old, w.r, i, l));
          x.took(w.r, i, l, old);
        }
      }
    };
  }
}
