package dev.fovea.kernels.ptx;

import java.util.Arrays;

/**
 * The registers of a block's warps, which {@code setmaxnreg} moves from one warpgroup to another. A block has as many
 * as its kernel was built for: {@code .maxnreg} of each thread, or the multiprocessor's share by {@code .maxntid} and
 * {@code .minnctapersm}.
 */
final class RegisterPool {
  /** Registers of a multiprocessor. */
  private static final int ALL = 1 << 16;

  private static final int UNIT = 8;
  private static final int LEAST = 24;
  private static final int MOST = 256;

  private final Block block;

  /** Per warp: registers of a thread, and how often they were set. */
  private final int[] each;

  private final int[] sets;
  private final int[] waiting;
  private int free;

  RegisterPool(Block block) {
    this.block = block;
    each = new int[block.warpCount];
    sets = new int[block.warpCount];
    waiting = new int[block.warpCount];
  }

  void clear() {
    Arrays.fill(each, built(block.kernel));
    Arrays.fill(sets, 0);
    Arrays.fill(waiting, 0);
    free = 0;
  }

  /** The registers of a thread that a kernel was built for, or 0 if it does not say. */
  private static int built(Kernel kernel) {
    if (kernel.maxRegisters > 0) {
      return kernel.maxRegisters;
    }
    int threads = kernel.maxThreads * Math.max(1, kernel.minBlocks);
    return threads == 0 ? 0 : Math.min(MOST, ALL / threads / UNIT * UNIT);
  }

  static Op compile(Operands o) {
    int count = o.number(0);
    boolean more = o.has("inc");
    if (count % UNIT != 0 || count < LEAST || count > MOST) {
      throw o.error("has a number of registers that is no multiple of 8 from 24 to 256");
    }
    return (w, m) -> {
      if (w.together(m, -1) != 0) {
        w.block.registers.set(w, count, more);
      }
    };
  }

  private void set(Warp w, int count, boolean more) {
    int i = w.index;
    if (each[i] == 0) {
      throw w.fault(0, "sets its registers in a kernel that was built for no number of them (.maxntid or .maxnreg)");
    }
    if (more ? count < each[i] : count > each[i]) {
      throw w.fault(0, (more ? "increases" : "decreases") + " its registers from " + each[i] + " to " + count);
    }
    if (count - each[i] > free) {
      waiting[i] = count;
      w.block(-1, w.at, Warp.Wait.REGISTERS);
      return;
    }
    waiting[i] = 0;
    free -= count - each[i];
    each[i] = count;
    sets[i]++;
    for (int v = 0; v < waiting.length; v++) {
      if (waiting[v] != 0 && waiting[v] - each[v] <= free) {
        block.warps[v].release(-1, 0);
        waiting[v] = 0;
      }
    }
  }

  /** What a warp waits for. */
  String describe(Warp w) {
    return (waiting[w.index] - each[w.index]) * Warp.LANES + " registers (" + free * Warp.LANES
        + " are free, the block has " + built(block.kernel) * block.warpCount * Warp.LANES + ")";
  }

  /** Fails if warps of one warpgroup have not set the same. */
  void checkGroups() {
    for (int i = 1; i < each.length; i++) {
      if (i % 4 != 0 && (each[i] != each[i - 1] || sets[i] != sets[i - 1])) {
        throw new PtxException("kernel " + block.kernel.name + ", block " + block.position() + ": warp " + (i - 1)
            + " ended with " + each[i - 1] + " registers and warp " + i + " of the same warpgroup with " + each[i]
            + ": all four must execute each setmaxnreg");
      }
    }
  }
}
