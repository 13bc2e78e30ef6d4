package dev.fovea.kernels.ptx;

import org.jspecify.annotations.Nullable;

/** Loads and stores of all spaces, single or of vectors. */
final class Loads {
  private Loads() {}

  static @Nullable Op compile(Operands o) {
    boolean load = !o.name.equals("st");
    return switch (o.space()) {
      case GLOBAL, CONST -> load ? new GlobalLoad(o) : new GlobalStore(o);
      case SHARED -> shared(new Access(o), load);
      case LOCAL -> local(new Access(o), load);
      case PARAM -> parameter(new Access(o), load);
      case GENERIC ->
        generic(
            load ? new GlobalLoad(o) : new GlobalStore(o),
            shared(new Access(o), load),
            local(new Access(o), load),
            parameter(new Access(o), load));
    };
  }

  /** What a load or a store says: registers, address, widths. */
  static final class Access {
    /** The offsets of the elements' registers. */
    final int[] d;

    final int a;
    final long offset;
    final Type type;
    final int bytes;
    final int count;
    final int span;

    /** The address where it is the same for all, or -1. */
    final long fixed;

    Access(Operands o) {
      boolean load = !o.name.equals("st");
      d = o.regs(load ? 0 : 1);
      a = o.base(load ? 1 : 0);
      offset = o.offset(load ? 1 : 0);
      type = o.type();
      bytes = type.bytes;
      count = d.length;
      span = bytes * count;
      fixed = o.fixedAddress(load ? 1 : 0);
      if (bytes > 8 || bytes == 0) {
        throw o.error("has a type that the PTX machine does not load or store");
      }
    }

    /** What a register is given for the bits that were read. */
    long extended(long bits) {
      return type.signed() ? type.integer(bits) : bits;
    }
  }

  /** Looks at each lane's address for its space. */
  static Op generic(Op global, Op shared, Op local, Op parameter) {
    int[] bases = bases(global);
    int a = bases[0];
    return (w, m) -> {
      int globals = 0;
      int shareds = 0;
      int locals = 0;
      int parameters = 0;
      for (int left = m; left != 0; left &= left - 1) {
        int l = Integer.numberOfTrailingZeros(left);
        long window = GlobalMemory.window(w.r[a + l]);
        int bit = 1 << l;
        if (window == 0) {
          globals |= bit;
        } else if (window == GlobalMemory.SHARED_WINDOW) {
          shareds |= bit;
        } else if (window == GlobalMemory.LOCAL_WINDOW) {
          locals |= bit;
        } else {
          parameters |= bit;
        }
      }
      run(global, w, globals);
      run(shared, w, shareds);
      run(local, w, locals);
      run(parameter, w, parameters);
    };
  }

  private static int[] bases(Op global) {
    return switch (global) {
      case GlobalLoad load -> new int[] {load.base()};
      case GlobalStore store -> new int[] {store.base()};
      case Atomics.Global atomic -> new int[] {atomic.base()};
      default -> throw new IllegalArgumentException("no access to global memory");
    };
  }

  private static void run(Op op, Warp w, int lanes) {
    if (lanes != 0) {
      op.run(w, lanes);
    }
  }

  private static Op shared(Access x, boolean load) {
    int[] d = x.d;
    return (w, m) -> {
      SharedMemory shared = w.block.shared;
      for (; m != 0; m &= m - 1) {
        int l = Integer.numberOfTrailingZeros(m);
        int at = shared.offset(w, l, w.r[x.a + l] + x.offset, x.span, load ? "reads" : "writes");
        for (int i = 0; i < d.length; i++) {
          if (load) {
            w.r[d[i] + l] = x.extended(shared.get(w, l, at + i * x.bytes, x.bytes));
          } else {
            shared.put(w, l, at + i * x.bytes, x.bytes, w.r[d[i] + l]);
          }
        }
      }
    };
  }

  /** A thread's own memory: its frame, and the arguments of its calls. */
  private static Op local(Access x, boolean load) {
    return (w, m) -> {
      for (; m != 0; m &= m - 1) {
        int l = Integer.numberOfTrailingZeros(m);
        long at = w.r[x.a + l] + x.offset & 0xff_ffff_ffffL;
        int size = w.block.kernel.localBytes;
        if (at + x.span > size) {
          throw w.fault(
              l,
              (load ? "reads " : "writes ") + x.span + " bytes of local memory at " + Warp.hex(at)
                  + ", out of bounds: the thread has " + size + " bytes");
        }
        if ((at & x.span - 1) != 0) {
          throw w.fault(l, "uses local memory at " + Warp.hex(at) + ", which is misaligned");
        }
        for (int i = 0; i < x.count; i++) {
          long offset = (long) l * size + at + i * x.bytes;
          if (load) {
            w.r[x.d[i] + l] = x.extended(Words.get(w.local, offset, x.bytes));
          } else {
            Words.put(w.local, offset, x.bytes, w.r[x.d[i] + l]);
          }
        }
      }
    };
  }

  /** A kernel's parameters; below them lie the arguments of calls, which are in the thread's frame. */
  private static Op parameter(Access x, boolean load) {
    Op frame = local(x, load);
    if (load && x.fixed >= Frame.PARAMETERS) {
      return fixedParameter(x);
    }
    return (w, m) -> {
      int[] words = w.block.launch.parameters();
      int bytes = w.block.kernel.parameterBytes;
      for (; m != 0; m &= m - 1) {
        int l = Integer.numberOfTrailingZeros(m);
        long at = (w.r[x.a + l] + x.offset & 0xff_ffff_ffffL) - Frame.PARAMETERS;
        if (at < 0 && at + Frame.PARAMETERS < w.block.kernel.localBytes) {
          frame.run(w, 1 << l);
          continue;
        }
        if (!load || at < 0 || at + x.span > bytes) {
          throw w.fault(
              l,
              (load ? "reads " : "writes ") + x.span + " bytes at offset " + at + " of the kernel's " + bytes
                  + " bytes of parameters");
        }
        for (int i = 0; i < x.count; i++) {
          w.r[x.d[i] + l] = x.extended(Words.get(words, at + i * x.bytes, x.bytes));
        }
      }
    };
  }

  /** A parameter at a place that is known: the same for all lanes. */
  private static Op fixedParameter(Access x) {
    int at = (int) (x.fixed - Frame.PARAMETERS);
    return (w, m) -> {
      if (at + x.span > w.block.kernel.parameterBytes) {
        throw w.fault(
            Integer.numberOfTrailingZeros(m),
            "reads " + x.span + " bytes at offset " + at + " of the kernel's " + w.block.kernel.parameterBytes
                + " bytes of parameters");
      }
      for (int i = 0; i < x.count; i++) {
        int d = x.d[i];
        long value = x.extended(Words.get(w.block.launch.parameters(), at + i * x.bytes, x.bytes));
        for (int left = m; left != 0; left &= left - 1) {
          w.r[d + Integer.numberOfTrailingZeros(left)] = value;
        }
      }
    };
  }
}
