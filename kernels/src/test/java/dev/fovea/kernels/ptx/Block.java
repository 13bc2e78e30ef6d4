package dev.fovea.kernels.ptx;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A block of threads: its warps, shared memory and barriers. One Java thread runs it, warp after warp. */
final class Block {
  /** Instructions a warp may run before the next one's turn: threads may spin on what another writes. */
  private static final int TURN = 1 << 16;

  final Kernel kernel;
  final Launch launch;
  final int threads;
  final int warpCount;
  final Warp[] warps;

  /** Groups of four warps. */
  final int groupCount;

  /** What a warp's clocks count. */
  final int clockCount;

  final SharedMemory shared;
  final ClusterBarrier clusterBarrier;
  final RegisterPool registers;
  final WarpGroups warpGroups;
  private @Nullable Mbarriers mbarriers;

  /** The tensor maps among the parameters, by their word. */
  private final Map<Integer, TensorBox> tensors = new HashMap<>();

  final Barriers barriers;

  /** This block's part in the order of global memory, where that is checked. */
  final GlobalOrder.@Nullable Member order;

  private int x;
  private int y;
  private int z;

  /** What one launch is: sizes, parameters, and the device it runs on. */
  record Launch(
      int gridX,
      int gridY,
      int gridZ,
      int blockX,
      int blockY,
      int blockZ,
      int dynamicShared,
      int[] parameters,
      GlobalMemory memory,
      Checks checks) {
    long blocks() {
      return (long) gridX * gridY * gridZ;
    }

    int threads() {
      return blockX * blockY * blockZ;
    }
  }

  Block(Kernel kernel, Launch launch, @Nullable GlobalOrder all) {
    this.kernel = kernel;
    this.launch = launch;
    threads = launch.threads();
    warpCount = (threads + Warp.LANES - 1) / Warp.LANES;
    groupCount = (warpCount + 3) / 4;
    clockCount = kernel.async ? copyClock(Mbarriers.MOST) : warpCount;
    shared = new SharedMemory(this, kernel, launch);
    barriers = new Barriers(this);
    clusterBarrier = new ClusterBarrier(this);
    registers = new RegisterPool(this);
    warpGroups = new WarpGroups(this);
    order = all == null ? null : all.new Member();
    warps = new Warp[warpCount];
    for (int i = 0; i < warpCount; i++) {
      warps[i] = new Warp(this, i);
    }
  }

  /** Runs the block of this number of the grid. Gives the instructions executed, counted per thread. */
  long run(long number) {
    x = (int) (number % launch.gridX);
    y = (int) (number / launch.gridX % launch.gridY);
    z = (int) (number / launch.gridX / launch.gridY);
    shared.clear();
    barriers.clear();
    clusterBarrier.clear();
    registers.clear();
    warpGroups.clear();
    if (mbarriers != null) {
      mbarriers.clear();
    }
    if (order != null) {
      order.begin(number);
    }
    long before = 0;
    for (Warp warp : warps) {
      before += warp.executed;
      warp.start();
    }
    long idle = 0;
    while (true) {
      boolean ran = false;
      boolean left = false;
      for (Warp warp : warps) {
        ran |= warp.run(TURN);
        left |= warp.alive != 0;
      }
      if (!left) {
        break;
      }
      if (!ran) {
        throw deadlock();
      }
      if (++idle * TURN > launch.checks.longest()) {
        throw new PtxException("kernel " + kernel.name + ", block " + position() + ": still runs after "
            + launch.checks.longest() + " instructions of a warp\n" + waiting());
      }
    }
    finish();
    long after = 0;
    for (Warp warp : warps) {
      after += warp.executed;
    }
    return after - before;
  }

  private void finish() {
    registers.checkGroups();
    warpGroups.checkTogether();
    if (mbarriers != null) {
      mbarriers.checkArrived();
    }
    for (Warp warp : warps) {
      warp.finish();
    }
  }

  /** Lanes have ended: those that wait for everyone need not wait for them. */
  void exited() {
    barriers.exited();
    clusterBarrier.exited();
  }

  /** The place in a warp's clocks of what it knows of the bulk copies of an mbarrier. */
  int copyClock(int mbarrier) {
    return warpCount + groupCount + mbarrier;
  }

  Mbarriers mbarriers() {
    Mbarriers made = mbarriers;
    if (made == null) {
      made = new Mbarriers(this, shared.bytes());
      mbarriers = made;
    }
    return made;
  }

  /** The tensor map that begins at this word of the parameters; null if none does. */
  @Nullable
  TensorBox tensorBox(int word) {
    TensorBox known = tensors.get(word);
    if (known == null) {
      known = TensorBox.decode(launch.parameters, word);
      if (known != null) {
        tensors.put(word, known);
      }
    }
    return known;
  }

  int aliveThreads() {
    int alive = 0;
    for (Warp warp : warps) {
      alive += Integer.bitCount(warp.alive);
    }
    return alive;
  }

  private PtxException deadlock() {
    return new PtxException(
        "kernel " + kernel.name + ", block " + position() + ": deadlock, no thread can go on\n" + waiting());
  }

  /** What each thread waits for, a line for those that wait at the same place. */
  private String waiting() {
    Map<String, StringBuilder> places = new LinkedHashMap<>();
    for (Warp warp : warps) {
      for (int lane = 0; lane < Warp.LANES && warp.thread(lane) < threads; lane++) {
        places
            .computeIfAbsent(state(warp, lane), k -> new StringBuilder())
            .append(' ')
            .append(warp.thread(lane));
      }
    }
    StringBuilder text = new StringBuilder();
    places.forEach((place, who) -> text.append("  ")
        .append(place)
        .append(": threads")
        .append(ranges(who.toString()))
        .append('\n'));
    return text.toString();
  }

  private String state(Warp warp, int lane) {
    if ((warp.alive >> lane & 1) == 0) {
      return "have exited";
    }
    boolean running = (warp.mask >> lane & 1) != 0;
    String place = kernel.place(running ? warp.pc : warp.pcs[lane]);
    if ((warp.blocked >> lane & 1) == 0) {
      return "run at " + place;
    }
    return switch (warp.waitOf(lane)) {
      case LANES -> "wait for other lanes of their warp at " + place;
      case BARRIER -> "wait at barrier " + barriers.describe(warp, lane) + " at " + place;
      case MBARRIER -> "wait for " + mbarriers().describe(warp, lane) + ", at " + place;
      case CLUSTER -> "wait at the barrier of their cluster (" + clusterBarrier.describe() + ") at " + place;
      case WARPGROUP -> "wait for " + warpGroups.describe(warp) + " at " + place;
      case REGISTERS -> "wait for " + registers.describe(warp) + " at " + place;
      case NOTHING -> "are ready at " + place;
    };
  }

  /** Numbers with runs put together: " 0 1 2 5" as " 0-2 5". */
  private static String ranges(String numbers) {
    StringBuilder text = new StringBuilder();
    int from = -2;
    int last = -2;
    for (String number : (numbers.strip() + " " + Integer.MAX_VALUE).split(" ")) {
      int n = Integer.parseInt(number);
      if (n != last + 1) {
        if (from >= 0) {
          text.append(' ').append(from).append(from == last ? "" : "-" + last);
        }
        from = n;
      }
      last = n;
    }
    return text.toString();
  }

  int x() {
    return x;
  }

  int y() {
    return y;
  }

  int z() {
    return z;
  }

  String position() {
    return "(" + x + "," + y + "," + z + ")";
  }

  String position(int thread) {
    return "(" + thread % launch.blockX + "," + thread / launch.blockX % launch.blockY + ","
        + thread / launch.blockX / launch.blockY + ")";
  }
}
