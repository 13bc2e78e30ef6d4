package dev.fovea.kernels.ptx;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * 32 threads that execute together. Lanes that part ways have their own program counters; the lanes that are furthest
 * back run first, so that lanes meet again where their ways join.
 */
final class Warp {
  static final int LANES = 32;

  /** What a lane waits for. */
  enum Wait {
    NOTHING,
    LANES,
    BARRIER,
    MBARRIER,
    CLUSTER,
    REGISTERS,
    WARPGROUP
  }

  final Block block;
  final int index;
  final long[] r;
  final int[] p;
  final AsyncQueue async = new AsyncQueue();
  private @Nullable BulkStores bulk;
  private final @Nullable Products products;

  /**
   * Clocks of the warps whose accesses to shared memory come before what this warp does now; its own is the present.
   * Behind them stand what the warp knows of the wgmma of each warpgroup and of the bulk copies of each mbarrier.
   */
  final int[] clocks;

  /** The lanes' memory of their own, one after another. */
  final int[] local;

  int pc;

  /** The instruction that is executed now. */
  int at;

  /** The lanes that run. */
  int mask;

  int alive;
  int blocked;
  final int[] pcs = new int[LANES];
  private final Wait[] waits = new Wait[LANES];

  /** Where the lanes that run meet those ready furthest back. */
  private int join;

  /** Lanes that arrived at a {@code bar.warp.sync}. */
  int synced;

  /** Room for what lanes exchange. */
  final long[] exchange = new long[LANES];

  /** Room for the addresses of a matrix' rows. */
  final int[] rows = new int[LANES];

  /** Room for the operands of a matrix product. */
  final float[] matrixA = new float[256];

  final float[] matrixB = new float[128];
  final float[] matrixC = new float[128];

  /** What the last comparison gave that no predicate took. */
  int compared;

  /** The carry flags of the lanes. */
  int carry;

  long executed;
  private boolean pause;

  Warp(Block block, int index) {
    this.block = block;
    this.index = index;
    Kernel kernel = block.kernel;
    r = new long[Math.max(1, kernel.registers) * LANES];
    p = new int[Math.max(1, kernel.predicates)];
    clocks = new int[block.clockCount];
    products = kernel.products ? new Products(this, kernel.registers) : null;
    local = new int[LANES * kernel.localBytes / 4];
  }

  /** Makes the warp ready to run the block's first instruction. */
  void start() {
    Kernel kernel = block.kernel;
    Arrays.fill(r, 0);
    Arrays.fill(p, 0);
    Arrays.fill(local, 0);
    for (Kernel.Fixed fixed : kernel.fixed) {
      Arrays.fill(r, fixed.slot(), fixed.slot() + LANES, fixed.value());
    }
    for (Kernel.Special special : kernel.specials) {
      for (int lane = 0; lane < LANES; lane++) {
        r[special.slot() + lane] = Specials.value(special.name(), this, lane);
      }
    }
    Arrays.fill(clocks, 0);
    clocks[index] = 1;
    int count = Math.min(LANES, block.threads - index * LANES);
    alive = count == LANES ? -1 : (1 << count) - 1;
    mask = alive;
    pc = 0;
    blocked = 0;
    synced = 0;
    join = Integer.MAX_VALUE;
    async.clear();
    if (bulk != null) {
      bulk.clear();
    }
    if (products != null) {
      products.clear();
    }
  }

  /** Runs until every lane waits or has left, or so many instructions are done. Says whether any was. */
  boolean run(int budget) {
    if (mask == 0) {
      reschedule();
    }
    if (mask == 0) {
      return false;
    }
    Op[] ops = block.kernel.ops;
    int[] guards = block.kernel.guards;
    long done = 0;
    pause = false;
    while (mask != 0 && budget-- > 0 && !pause) {
      at = pc;
      if (at >= join) {
        meet();
        continue;
      }
      int guard = guards[at];
      int lanes = guard == Kernel.ALWAYS ? mask : guard > 0 ? mask & p[guard - 1] : mask & ~p[-guard - 1];
      pc = at + 1;
      if (lanes != 0) {
        done += Integer.bitCount(lanes);
        ops[at].run(this, lanes);
      }
    }
    executed += done;
    return true;
  }

  /** The lanes that run have come to where others are: takes those along. */
  private void meet() {
    park(mask, pc);
    reschedule();
  }

  private void park(int lanes, int at) {
    for (int m = lanes; m != 0; m &= m - 1) {
      pcs[Integer.numberOfTrailingZeros(m)] = at;
    }
  }

  /** Chooses the ready lanes that are furthest back. */
  void reschedule() {
    int ready = alive & ~blocked;
    int least = Integer.MAX_VALUE;
    int next = Integer.MAX_VALUE;
    int chosen = 0;
    for (int m = ready; m != 0; m &= m - 1) {
      int lane = Integer.numberOfTrailingZeros(m);
      int at = pcs[lane];
      if (at < least) {
        next = least;
        least = at;
        chosen = 0;
      } else if (at > least && at < next) {
        next = at;
      }
      if (at == least) {
        chosen |= 1 << lane;
      }
    }
    mask = chosen;
    pc = least;
    join = next;
  }

  /** Lets these of the running lanes go on elsewhere. */
  void branch(int lanes, int target) {
    int others = mask & ~lanes;
    if (others == 0) {
      pc = target;
      return;
    }
    park(others, pc);
    park(lanes, target);
    reschedule();
  }

  /** The warp's bulk copies to global memory. */
  BulkStores bulk() {
    BulkStores stores = bulk;
    if (stores == null) {
      stores = new BulkStores();
      bulk = stores;
    }
    return stores;
  }

  /** The warp's wgmma in flight, in a kernel that has any. */
  Products products() {
    if (products == null) {
      throw new IllegalStateException("a kernel without wgmma");
    }
    return products;
  }

  /** The block has ended: what the warp's bulk copies write arrives. */
  void finish() {
    if (bulk != null) {
      bulk.finish();
    }
  }

  /** Ends these of the running lanes. */
  void exit(int lanes) {
    if (bulk != null) {
      bulk.exit(this, lanes);
    }
    if (products != null) {
      products.exit(lanes);
    }
    alive &= ~lanes;
    mask &= ~lanes;
    block.exited();
    if (mask == 0) {
      reschedule();
    }
  }

  /** Lets these of the running lanes wait; they will go on at this instruction. */
  void block(int lanes, int at, Wait wait) {
    park(lanes, at);
    blocked |= lanes;
    for (int m = lanes; m != 0; m &= m - 1) {
      waits[Integer.numberOfTrailingZeros(m)] = wait;
    }
    int others = mask & ~lanes;
    if (others != 0) {
      park(others, pc);
    }
    reschedule();
  }

  /** Lets waiting lanes go on, from so many instructions after the one they wait at. */
  void release(int lanes, int step) {
    for (int m = lanes; m != 0; m &= m - 1) {
      int lane = Integer.numberOfTrailingZeros(m);
      waits[lane] = Wait.NOTHING;
      pcs[lane] += step;
    }
    blocked &= ~lanes;
    if (mask != 0) {
      park(mask, pc);
    }
    reschedule();
  }

  /** Lets the other warps run before this one goes on. */
  void pause() {
    pause = true;
  }

  /**
   * Brings the lanes of a {@code .sync} instruction together. Gives all of them when they are, and 0 when these now
   * wait for the others.
   */
  int together(int lanes, int wanted) {
    int here = at;
    int gone = wanted & ~alive;
    if (gone != 0) {
      int lane = Integer.numberOfTrailingZeros(gone);
      throw fault(
          Integer.numberOfTrailingZeros(lanes),
          "waits for lane " + lane + " of its warp (mask " + hex(wanted) + "), which "
              + (index * LANES + lane < block.threads ? "has exited" : "does not exist"));
    }
    if ((lanes & ~wanted) != 0) {
      throw fault(
          Integer.numberOfTrailingZeros(lanes & ~wanted),
          "executes a .sync instruction whose mask " + hex(wanted) + " leaves it out");
    }
    int arrived = lanes;
    for (int m = wanted & blocked; m != 0; m &= m - 1) {
      int lane = Integer.numberOfTrailingZeros(m);
      if (pcs[lane] == here && waits[lane] == Wait.LANES) {
        arrived |= 1 << lane;
      }
    }
    if ((arrived & wanted) != wanted) {
      block(lanes, here, Wait.LANES);
      return 0;
    }
    int waiting = arrived & ~lanes;
    if (waiting != 0) {
      blocked &= ~waiting;
      park(mask | arrived, pc);
      reschedule();
    }
    return arrived;
  }

  Wait waitOf(int lane) {
    return waits[lane];
  }

  /** Marks that what lies before is visible to the warp's other lanes. */
  void tick() {
    clocks[index]++;
  }

  int thread(int lane) {
    return index * LANES + lane;
  }

  /** What went wrong at the present instruction, with everything that helps to find it. */
  PtxException fault(int lane, String message) {
    return fault(lane, at, message);
  }

  /** As {@link #fault}, for an address. */
  PtxException illegal(int lane, String message) {
    return new PtxException("CUDA_ERROR_ILLEGAL_ADDRESS", fault(lane, message).getMessage());
  }

  private PtxException fault(int lane, int at, String message) {
    Kernel kernel = block.kernel;
    return new PtxException("kernel " + kernel.name + ", block " + block.position() + ", thread "
        + block.position(thread(lane)) + ": " + message + "\n  at " + kernel.place(at));
  }

  static String hex(long value) {
    return "0x" + Long.toHexString(value & (value >> 32 == -1 ? 0xffff_ffffL : -1L));
  }
}
