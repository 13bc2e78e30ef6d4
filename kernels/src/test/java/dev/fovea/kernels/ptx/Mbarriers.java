package dev.fovea.kernels.ptx;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The mbarriers of a block, and the instructions on them. */
final class Mbarriers {
  /** The most of a block. */
  static final int MOST = 64;

  private static final int BYTES = 8;

  private final Block block;
  private final @Nullable Mbarrier[] places;
  private final List<Mbarrier> all = new ArrayList<>();

  Mbarriers(Block block, int sharedBytes) {
    this.block = block;
    places = new Mbarrier[sharedBytes / BYTES + 1];
  }

  void clear() {
    all.forEach(Mbarrier::clear);
  }

  /** What a thread does at an mbarrier. */
  @FunctionalInterface
  private interface Action {
    void run(Warp w, int lane, Mbarrier barrier);
  }

  static Op compile(Operands o) {
    return switch (o.part(1)) {
      case "init" -> init(o);
      case "inval" ->
        each(o, 0, (w, lane, barrier) -> {
          barrier.end(w, lane);
          w.block.shared.release(barrier.at, BYTES);
        });
      case "arrive", "arrive_drop" -> arrive(o);
      case "expect_tx" -> {
        int bytes = o.reg(1);
        yield each(o, 0, (w, lane, barrier) -> barrier.expect(w, lane, (int) w.r[bytes + lane]));
      }
      case "test_wait", "try_wait" -> await(o);
      default -> throw o.error("is an instruction that the PTX machine does not know");
    };
  }

  /** The offset of an mbarrier in shared memory. */
  static int place(Warp w, int lane, long address, boolean generic) {
    if (generic && GlobalMemory.window(address) != GlobalMemory.SHARED_WINDOW) {
      throw w.fault(lane, "uses an mbarrier at " + Warp.hex(address) + ", which is not in shared memory");
    }
    return w.block.shared.offset(w, lane, address, BYTES, "uses an mbarrier of");
  }

  /** The mbarrier at an offset; fails if there is none, or if the thread cannot know of it. */
  Mbarrier find(Warp w, int lane, int at) {
    Mbarrier barrier = places[at / BYTES];
    if (barrier == null || !barrier.live()) {
      throw w.fault(lane, "uses an mbarrier at " + Warp.hex(at) + " of shared memory, where none was initialised");
    }
    barrier.checkKnown(w, lane);
    return barrier;
  }

  private Mbarrier made(Warp w, int lane, int at) {
    Mbarrier known = places[at / BYTES];
    if (known == null) {
      if (all.size() == MOST) {
        throw w.fault(lane, "initialises more than " + MOST + " mbarriers, which the PTX machine cannot tell apart");
      }
      known = new Mbarrier(block, at, all.size());
      places[at / BYTES] = known;
      all.add(known);
    }
    return known;
  }

  private static Op each(Operands o, int operand, Action action) {
    int a = o.base(operand);
    long offset = o.offset(operand);
    boolean generic = o.space() == Operands.Space.GENERIC;
    return (w, m) -> {
      Mbarriers barriers = w.block.mbarriers();
      for (; m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        int at = place(w, lane, w.r[a + lane] + offset, generic);
        action.run(w, lane, barriers.find(w, lane, at));
      }
    };
  }

  private static Op init(Operands o) {
    int a = o.base(0);
    long offset = o.offset(0);
    int count = o.reg(1);
    boolean generic = o.space() == Operands.Space.GENERIC;
    return (w, m) -> {
      for (; m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        int at = place(w, lane, w.r[a + lane] + offset, generic);
        Mbarrier barrier = w.block.mbarriers().made(w, lane, at);
        barrier.init(w, lane, (int) w.r[count + lane]);
        w.block.shared.reserve(w, lane, at, BYTES);
      }
    };
  }

  private static Op arrive(Operands o) {
    if (o.has("noComplete")) {
      throw o.error("is an instruction that the PTX machine does not know");
    }
    int d = o.operand(0) instanceof Operand.Sink ? -1 : o.reg(0);
    boolean expects = o.has("expect_tx");
    boolean drops = o.part(1).equals("arrive_drop");
    boolean release = !o.has("relaxed");
    int number = o.count() > 2 ? o.reg(2) : -1;
    Op arrival = each(o, 1, (w, lane, barrier) -> {
      if (d >= 0) {
        w.r[d + lane] = barrier.phase();
      }
      int arrivals = 1;
      if (expects) {
        barrier.expect(w, lane, (int) w.r[number + lane]);
      } else if (number >= 0) {
        arrivals = (int) w.r[number + lane];
      }
      barrier.arrive(w, lane, arrivals, drops ? arrivals : 0, release);
    });
    return (w, m) -> {
      arrival.run(w, m);
      if (release) {
        // What comes now is not known to those who wait for this arrival.
        w.tick();
      }
    };
  }

  private static Op await(Operands o) {
    int p = o.pred(0);
    int a = o.base(1);
    long offset = o.offset(1);
    int of = o.reg(2);
    boolean generic = o.space() == Operands.Space.GENERIC;
    boolean parity = o.has("parity");
    boolean acquire = !o.has("relaxed");
    boolean blocks = o.part(1).equals("try_wait");
    return (w, m) -> {
      Mbarriers barriers = w.block.mbarriers();
      int passed = 0;
      Mbarrier last = null;
      for (int left = m; left != 0; left &= left - 1) {
        int lane = Integer.numberOfTrailingZeros(left);
        Mbarrier barrier = barriers.find(w, lane, place(w, lane, w.r[a + lane] + offset, generic));
        long number = w.r[of + lane];
        if (parity && number >>> 1 != 0) {
          throw w.fault(lane, "waits for a phase of parity " + number + "; there are 0 and 1");
        }
        if (parity ? barrier.passedParity(number) : barrier.passed(number)) {
          passed |= 1 << lane;
          if (acquire && barrier != last) {
            barrier.acquire(w);
            last = barrier;
          }
        } else if (blocks) {
          barrier.await(w, 1 << lane);
        }
      }
      if (p >= 0) {
        w.p[p] = w.p[p] & ~m | passed;
      }
      int others = m & ~passed;
      if (others != 0 && blocks) {
        // It would come back to try again: nothing else can happen to it meanwhile.
        w.block(others, w.at, Warp.Wait.MBARRIER);
      } else if (others != 0) {
        w.pause();
      }
    };
  }

  /** Executes a {@code fence.mbarrier_init} of these lanes. */
  void fence(Warp w, int lanes) {
    for (int m = lanes; m != 0; m &= m - 1) {
      int thread = w.thread(Integer.numberOfTrailingZeros(m));
      all.forEach(barrier -> barrier.fence(thread));
    }
  }

  /** The mbarrier that a lane waits at, and what is missing there. */
  String describe(Warp warp, int lane) {
    for (Mbarrier barrier : all) {
      if (barrier.awaitedBy(warp, lane)) {
        return barrier + ", " + barrier.missing();
      }
    }
    return "?";
  }

  /** Fails if copies are still on their way when the block has ended. */
  void checkArrived() {
    for (Mbarrier barrier : all) {
      if (barrier.flying() > 0) {
        throw new PtxException("kernel " + block.kernel.name + ", block " + block.position() + ": has ended while "
            + barrier.flying() + " bytes were on their way to its shared memory; nobody has waited for " + barrier);
      }
    }
  }
}
