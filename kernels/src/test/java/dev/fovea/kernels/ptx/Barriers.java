package dev.fovea.kernels.ptx;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** The sixteen barriers of a block. */
final class Barriers {
  private static final int COUNT = 16;

  /** A barrier's state. */
  private static final class Barrier {
    int arrived;

    /** The threads it waits for; -1 for all that live. */
    int expected = -1;

    /** The lanes that wait, per warp. */
    final int[] waiting;

    /** What the arrived know of each other's accesses to shared memory. */
    final int[] clocks;

    int count;
    boolean all = true;
    boolean any;

    @Nullable
    Reduction reduction;

    Barrier(int warps, int clockCount) {
      waiting = new int[warps];
      clocks = new int[clockCount];
    }

    void clear() {
      arrived = 0;
      expected = -1;
      Arrays.fill(waiting, 0);
      Arrays.fill(clocks, 0);
      count = 0;
      all = true;
      any = false;
      reduction = null;
    }
  }

  /** A {@code bar.red}: what it counts, and where the result goes. */
  private record Reduction(String kind, int d, int source) {}

  private final Block block;
  private final Barrier[] barriers = new Barrier[COUNT];

  Barriers(Block block) {
    this.block = block;
    for (int i = 0; i < COUNT; i++) {
      barriers[i] = new Barrier(block.warpCount, block.clockCount);
    }
  }

  void clear() {
    for (Barrier barrier : barriers) {
      barrier.clear();
    }
  }

  static Op compile(Operands o) {
    if (o.has("warp")) {
      return warpSync(o);
    }
    if (o.has("cluster")) {
      return ClusterBarrier.compile(o);
    }
    boolean arrive = o.has("arrive");
    boolean aligned = o.name.equals("bar") || o.has("aligned");
    Reduction reduction = null;
    int first = 0;
    if (o.has("red")) {
      boolean popc = o.has("popc");
      first = 1;
      String kind = popc ? "popc" : o.has("and") ? "and" : "or";
      reduction = new Reduction(kind, popc ? o.reg(0) : o.pred(0), o.source(o.count() - 1));
    }
    int last = o.count() - (reduction == null ? 0 : 1);
    int number = o.reg(first);
    int threads = last > first + 1 ? o.reg(first + 1) : -1;
    Reduction reduces = reduction;
    return (w, m) -> {
      int lane = Integer.numberOfTrailingZeros(m);
      int id = (int) w.r[number + lane];
      if (id < 0 || id >= COUNT) {
        throw w.fault(lane, "uses barrier " + id + "; there are 0 to 15");
      }
      int expected = threads < 0 ? -1 : (int) w.r[threads + lane];
      w.block.barriers.arrive(w, m, id, expected, arrive, aligned, reduces);
    };
  }

  private static Op warpSync(Operands o) {
    int mask = o.reg(0);
    return (w, m) -> {
      if (w.together(m, (int) w.r[mask + Integer.numberOfTrailingZeros(m)]) != 0) {
        w.tick();
      }
    };
  }

  private void arrive(
      Warp w, int m, int id, int expected, boolean arrive, boolean aligned, @Nullable Reduction reduction) {
    Barrier barrier = barriers[id];
    int lane = Integer.numberOfTrailingZeros(m);
    if (barrier.arrived > 0 && expected >= 0 && barrier.expected >= 0 && expected != barrier.expected) {
      throw w.fault(
          lane,
          "arrives at barrier " + id + " for " + expected + " threads, where others wait for " + barrier.expected);
    }
    if (aligned) {
      for (int lanes = barrier.waiting[w.index]; lanes != 0; lanes &= lanes - 1) {
        int other = Integer.numberOfTrailingZeros(lanes);
        if (w.pcs[other] != w.at) {
          throw w.fault(
              lane,
              "arrives at barrier " + id + " in divergent code: thread " + block.position(w.thread(other))
                  + " of its warp waits at " + block.kernel.place(w.pcs[other]));
        }
      }
    }
    if (barrier.arrived == 0 || expected >= 0) {
      barrier.expected = expected;
    }
    for (int v = 0; v < barrier.clocks.length; v++) {
      barrier.clocks[v] = Math.max(barrier.clocks[v], w.clocks[v]);
    }
    w.tick();
    barrier.arrived += Integer.bitCount(m);
    if (reduction != null) {
      reduce(barrier, reduction, w, m);
    }
    if (!arrive) {
      barrier.waiting[w.index] |= m;
      w.block(m, w.at, Warp.Wait.BARRIER);
    }
    int wanted = barrier.expected < 0 ? block.aliveThreads() : barrier.expected;
    if (barrier.arrived > wanted) {
      throw w.fault(
          lane, "is one of " + barrier.arrived + " threads that arrived at barrier " + id + ", which is for " + wanted);
    }
    if (barrier.arrived == wanted) {
      complete(barrier);
    }
  }

  private static void reduce(Barrier barrier, Reduction reduction, Warp w, int m) {
    int holds = Operands.value(w, reduction.source) & m;
    barrier.count += Integer.bitCount(holds);
    barrier.all &= holds == m;
    barrier.any |= holds != 0;
    barrier.reduction = reduction;
  }

  private void complete(Barrier barrier) {
    for (int i = 0; i < barrier.waiting.length; i++) {
      int lanes = barrier.waiting[i];
      if (lanes == 0) {
        continue;
      }
      Warp warp = block.warps[i];
      for (int v = 0; v < warp.clocks.length; v++) {
        warp.clocks[v] = v == i ? warp.clocks[v] : Math.max(warp.clocks[v], barrier.clocks[v]);
      }
      Reduction reduction = barrier.reduction;
      if (reduction != null) {
        give(barrier, reduction, warp, lanes);
      }
      warp.release(lanes, 1);
    }
    barrier.clear();
  }

  private static void give(Barrier barrier, Reduction reduction, Warp warp, int lanes) {
    if (reduction.kind.equals("popc")) {
      for (int m = lanes; m != 0; m &= m - 1) {
        warp.r[reduction.d + Integer.numberOfTrailingZeros(m)] = barrier.count;
      }
      return;
    }
    boolean holds = reduction.kind.equals("and") ? barrier.all : barrier.any;
    warp.p[reduction.d] = warp.p[reduction.d] & ~lanes | (holds ? lanes : 0);
  }

  /** Threads have ended: those that wait for all that live may go on. */
  void exited() {
    for (Barrier barrier : barriers) {
      if (barrier.arrived > 0 && barrier.expected < 0 && barrier.arrived == block.aliveThreads()) {
        complete(barrier);
      }
    }
  }

  /** The barrier that a lane waits at, and how many have come. */
  String describe(Warp warp, int lane) {
    for (int id = 0; id < COUNT; id++) {
      Barrier barrier = barriers[id];
      if ((barrier.waiting[warp.index] >> lane & 1) != 0) {
        int wanted = barrier.expected < 0 ? block.aliveThreads() : barrier.expected;
        return id + " (" + barrier.arrived + " of " + wanted + " threads have arrived)";
      }
    }
    return "?";
  }
}
