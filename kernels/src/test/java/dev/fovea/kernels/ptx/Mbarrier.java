package dev.fovea.kernels.ptx;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * An mbarrier: counts arrivals and bytes of bulk copies, phase after phase. Copies arrive when all threads have, all
 * the bytes that are expected are on their way, and somebody waits; not before.
 */
final class Mbarrier {
  /** The most bytes that may be missing. */
  private static final int MOST_BYTES = (1 << 20) - 1;

  static final int MOST_COUNT = (1 << 20) - 1;

  /** Bytes on their way to shared memory. */
  private record Copy(int to, int[] words) {}

  private final Block block;
  final int at;

  /** Which of the block's: its place in the clocks. */
  final int number;

  /** Phases completed, of all that were initialised at this place. */
  private int serial;

  private boolean live;
  private int count;
  private int next;
  private int pending;
  private int expected;
  private int flying;
  private long phase;

  /** Who initialised it, where, and whether the proxy of bulk copies may know of it. */
  private int stamp;

  private int place;
  private int thread;
  private boolean fenced;

  /** What those know that have arrived, and what those did when the last phase ended. */
  private final int[] clocks;

  private final int[] completed;
  private final int[] waiting;
  private final List<Copy> copies = new ArrayList<>();

  Mbarrier(Block block, int at, int number) {
    this.block = block;
    this.at = at;
    this.number = number;
    clocks = new int[block.clockCount];
    completed = new int[block.clockCount];
    waiting = new int[block.warpCount];
  }

  void init(Warp w, int lane, int count) {
    if (live) {
      throw w.fault(lane, "initialises " + this + ", which is an mbarrier already; mbarrier.inval must come before");
    }
    if (count < 1 || count > MOST_COUNT) {
      throw w.fault(lane, "initialises an mbarrier for " + count + " arrivals; 1 to " + MOST_COUNT + " are possible");
    }
    live = true;
    this.count = count;
    next = count;
    pending = count;
    expected = 0;
    flying = 0;
    phase = 0;
    place = w.at;
    thread = w.thread(lane);
    stamp = SharedMemory.stamp(w, lane);
    fenced = false;
    Arrays.fill(clocks, 0);
    Arrays.fill(completed, 0);
  }

  void end(Warp w, int lane) {
    for (int lanes : waiting) {
      if (lanes != 0 || flying != 0) {
        throw w.fault(lane, "invalidates " + this + ", which " + (flying != 0 ? "copies" : "threads") + " still use");
      }
    }
    live = false;
  }

  boolean live() {
    return live;
  }

  /** Fails for a thread that cannot know that this is an mbarrier. */
  void checkKnown(Warp w, int lane) {
    if (SharedMemory.unordered(w, lane, stamp)) {
      throw w.fault(
          lane,
          "race: uses " + this + ", which thread " + block.position(thread) + " initialised; no barrier lies between");
    }
  }

  /** Fails for a bulk copy that may not see that this is an mbarrier. */
  void checkFenced(Warp w, int lane) {
    if (!fenced) {
      throw w.fault(
          lane,
          "copies with " + this + ", and thread " + block.position(thread)
              + " executed no fence.mbarrier_init since it initialised it");
    }
  }

  void fence(int thread) {
    fenced |= thread == this.thread;
  }

  /** The phase that is under way. */
  long phase() {
    return phase;
  }

  void expect(Warp w, int lane, int bytes) {
    expected += bytes;
    if (bytes < 0 || expected > MOST_BYTES) {
      throw w.fault(
          lane,
          "expects " + bytes + " bytes, " + expected + " in all at " + this + "; at most " + MOST_BYTES
              + " are possible");
    }
  }

  /** Counts arrivals; {@code drops} of them will not come in later phases. */
  void arrive(Warp w, int lane, int arrivals, int drops, boolean release) {
    if (arrivals < 1 || arrivals > pending) {
      throw w.fault(
          lane,
          "arrives " + arrivals + " times at " + this + ", which waits for " + pending + " of " + count
              + " arrivals in this phase" + (pending == 0 ? " (its bytes have not all arrived for sure)" : ""));
    }
    if (release) {
      join(clocks, w.clocks);
    }
    pending -= arrivals;
    next -= drops;
    progress(w, lane);
  }

  private static void join(int[] into, int[] from) {
    for (int i = 0; i < into.length; i++) {
      into[i] = Math.max(into[i], from[i]);
    }
  }

  /** What a copy's bytes are stamped with: known to those who have waited for this phase. */
  int copyStamp() {
    return serial + 1 << SharedMemory.THREAD_BITS | SharedMemory.COPIES + number;
  }

  /** Takes a copy whose bytes it will wait for. */
  void fly(Warp w, int lane, int to, int[] words) {
    copies.add(new Copy(to, words));
    flying += 4 * words.length;
    progress(w, lane);
  }

  /** Looks whether the phase is over, or would be if somebody waited. */
  private void progress(Warp w, int lane) {
    if (pending > 0) {
      return;
    }
    if (flying > expected) {
      throw w.fault(
          lane,
          flying + " bytes are on their way to " + this + ", whose arrivals are complete and which expects " + expected
              + ": it may let threads go on before they are there");
    }
    if (flying == expected) {
      if (flying == 0) {
        complete();
      }
      wake();
    }
  }

  private void complete() {
    for (Copy copy : copies) {
      block.shared.land(copy.to, copy.words);
    }
    copies.clear();
    flying = 0;
    expected = 0;
    serial++;
    phase++;
    count = next;
    pending = count;
    System.arraycopy(clocks, 0, completed, 0, clocks.length);
    completed[block.copyClock(number)] = serial;
  }

  /** Whether a thread that waits may go on: the phase of this number is over. What is on its way arrives for that. */
  boolean passed(long number) {
    return phase > number || phase == number && settle() && phase > number;
  }

  /** The same for the latest phase of this parity. */
  boolean passedParity(long parity) {
    return (phase & 1) != parity || settle();
  }

  private boolean settle() {
    boolean over = live && pending == 0 && flying == expected;
    if (over) {
      complete();
      wake();
    }
    return over;
  }

  /** Gives a thread that has waited what the arrived knew. */
  void acquire(Warp w) {
    for (int i = 0; i < completed.length; i++) {
      if (i != w.index) {
        w.clocks[i] = Math.max(w.clocks[i], completed[i]);
      }
    }
  }

  void await(Warp w, int lanes) {
    waiting[w.index] |= lanes;
  }

  private void wake() {
    for (int i = 0; i < waiting.length; i++) {
      int lanes = waiting[i];
      if (lanes != 0) {
        waiting[i] = 0;
        block.warps[i].release(lanes, 0);
      }
    }
  }

  boolean awaitedBy(Warp w, int lane) {
    return (waiting[w.index] >> lane & 1) != 0;
  }

  /** Forgets everything, for the next block; says whether copies were on their way. */
  void clear() {
    live = false;
    serial = 0;
    copies.clear();
    flying = 0;
    Arrays.fill(waiting, 0);
  }

  int flying() {
    return flying;
  }

  /** What it still waits for. */
  String missing() {
    return "phase " + phase + ": " + (count - pending) + " of " + count + " arrivals, " + flying + " of " + expected
        + " expected bytes";
  }

  @Override
  public String toString() {
    return "the mbarrier at " + Warp.hex(at) + " (initialised at " + block.kernel.place(place) + ")";
  }
}
