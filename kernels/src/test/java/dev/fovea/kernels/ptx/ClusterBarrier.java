package dev.fovea.kernels.ptx;

import java.util.Arrays;

/** The barrier of a cluster, which has one block: threads arrive, and wait later. */
final class ClusterBarrier {
  private final Block block;

  /** Per warp: the lanes that have arrived and not waited yet, for the phase under way and for the last. */
  private final int[] arrived;

  private final int[] over;
  private final int[] waiting;
  private final int[] clocks;
  private final int[] completed;
  private int count;

  ClusterBarrier(Block block) {
    this.block = block;
    arrived = new int[block.warpCount];
    over = new int[block.warpCount];
    waiting = new int[block.warpCount];
    clocks = new int[block.clockCount];
    completed = new int[block.clockCount];
  }

  void clear() {
    Arrays.fill(arrived, 0);
    Arrays.fill(over, 0);
    Arrays.fill(waiting, 0);
    Arrays.fill(clocks, 0);
    Arrays.fill(completed, 0);
    count = 0;
  }

  static Op compile(Operands o) {
    boolean relaxed = o.has("relaxed");
    return switch (o.part(2)) {
      case "arrive" -> (w, m) -> w.block.clusterBarrier.arrive(w, m, !relaxed);
      case "wait" -> (w, m) -> w.block.clusterBarrier.await(w, m);
      default -> throw o.error("is an instruction that the PTX machine does not know");
    };
  }

  private void arrive(Warp w, int m, boolean release) {
    int twice = m & (arrived[w.index] | over[w.index]);
    if (twice != 0) {
      throw w.fault(
          Integer.numberOfTrailingZeros(twice),
          "arrives at the barrier of its cluster again, before it has waited for the last phase");
    }
    arrived[w.index] |= m;
    count += Integer.bitCount(m);
    if (release) {
      for (int i = 0; i < clocks.length; i++) {
        clocks[i] = Math.max(clocks[i], w.clocks[i]);
      }
      w.tick();
    }
    exited();
  }

  /** Completes the phase if all that live have arrived. */
  void exited() {
    if (count == 0 || count < block.aliveThreads()) {
      return;
    }
    count = 0;
    System.arraycopy(clocks, 0, completed, 0, clocks.length);
    for (int i = 0; i < arrived.length; i++) {
      over[i] |= arrived[i];
      arrived[i] = 0;
      int lanes = waiting[i];
      waiting[i] = 0;
      if (lanes != 0) {
        block.warps[i].release(lanes, 0);
      }
    }
  }

  private void await(Warp w, int m) {
    int early = m & ~(arrived[w.index] | over[w.index]);
    if (early != 0) {
      throw w.fault(
          Integer.numberOfTrailingZeros(early), "waits at the barrier of its cluster, where it has not arrived");
    }
    int passed = m & over[w.index];
    over[w.index] &= ~passed;
    if (passed != 0) {
      for (int i = 0; i < completed.length; i++) {
        w.clocks[i] = i == w.index ? w.clocks[i] : Math.max(w.clocks[i], completed[i]);
      }
    }
    int others = m & ~passed;
    if (others != 0) {
      waiting[w.index] |= others;
      w.block(others, w.at, Warp.Wait.CLUSTER);
    }
  }

  /** How many have come. */
  String describe() {
    return count + " of " + block.aliveThreads() + " threads have arrived";
  }
}
