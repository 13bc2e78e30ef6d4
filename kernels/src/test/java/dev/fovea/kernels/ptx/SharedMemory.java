package dev.fovea.kernels.ptx;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A block's shared memory, and who used it when. Each access is stamped with its thread and the clock of its warp; a
 * barrier tells its warps each other's clocks. Two accesses of which one writes, by threads of which the later knows
 * nothing of the earlier one's clock, are a race. Lanes of one warp are ordered by {@code bar.warp.sync} as well.
 */
final class SharedMemory {
  static final int THREAD_BITS = 11;

  /** Numbers of threads from here on are mbarriers: what they stamp was written by their bulk copies. */
  static final int COPIES = 1024;

  /** In flight: by {@code cp.async}, by a bulk copy; or not memory at all. */
  private static final byte COPY = 1;

  private static final byte BULK = 2;
  private static final byte MBARRIER = 3;

  private final int bytes;
  private final int[] words;
  private final byte[] valid;
  private final byte[] flight;
  private final boolean memory;
  private final boolean races;

  /** What is told apart: so many bytes, as a shift. */
  private final int grain;

  private final int[] writers;
  private final int[] writersAt;
  private final int[] readers;
  private final int[] readersAt;

  /** The last reader of another warp than the last. */
  private final int[] others;

  /** What instructions of Hopper do with it, in kernels that have any. */
  final @Nullable AsyncProxy proxy;

  SharedMemory(Block block, Kernel kernel, Block.Launch launch) {
    bytes = kernel.staticShared + launch.dynamicShared();
    int count = bytes + 7 >>> 2;
    words = new int[count];
    valid = new byte[count];
    flight = new byte[count];
    memory = launch.checks().memory();
    races = launch.checks().races();
    grain = Integer.numberOfTrailingZeros(kernel.sharedGrain);
    int grains = races ? (bytes >>> grain) + 1 : 0;
    writers = new int[grains];
    writersAt = new int[grains];
    readers = new int[grains];
    readersAt = new int[grains];
    others = new int[grains];
    proxy = kernel.async && races ? new AsyncProxy(block, bytes) : null;
  }

  int bytes() {
    return bytes;
  }

  /** Forgets what the block before left. */
  void clear() {
    Arrays.fill(words, 0xcdcdcdcd);
    Arrays.fill(valid, (byte) 0);
    Arrays.fill(flight, (byte) 0);
    Arrays.fill(writers, 0);
    Arrays.fill(readers, 0);
    Arrays.fill(others, 0);
    if (proxy != null) {
      proxy.clear();
    }
  }

  /** Checks the address of an access; gives its offset. */
  int offset(Warp w, int lane, long address, int span, String verb) {
    long at = address & 0xffff_ffffL;
    if (at + span > bytes) {
      throw w.illegal(
          lane,
          verb + " " + span + " bytes of shared memory at " + Warp.hex(at)
              + ", out of bounds: the block has " + bytes + " bytes (" + w.block.kernel.staticShared + " static, "
              + w.block.launch.dynamicShared() + " dynamic)");
    }
    if ((at & span - 1) != 0) {
      throw w.fault(lane, verb + " " + span + " bytes of shared memory at " + Warp.hex(at) + ", which is misaligned");
    }
    return (int) at;
  }

  /** Reads at an offset that was checked. */
  long get(Warp w, int lane, int at, int size) {
    if (memory && !Words.valid(valid, at, size)) {
      throw unreadable(w, lane, at, size, "reads");
    }
    if (races) {
      int stamp = stamp(w, lane);
      int g = at >>> grain;
      note(w, lane, at, size, g, stamp);
      for (int end = at + size - 1 >>> grain; g < end; ) {
        note(w, lane, at, size, ++g, stamp);
      }
    }
    return Words.get(words, at, size);
  }

  private PtxException unreadable(Warp w, int lane, int at, int size, String verb) {
    int first = at;
    while (Words.valid(valid, first, 1)) {
      first++;
    }
    String why = switch (flight[first >>> 2]) {
      case COPY -> " while a cp.async to it is in flight: no wait_group has completed it";
      case BULK -> " while a bulk copy to it is in flight: nobody has waited for its mbarrier";
      case MBARRIER -> ", where an mbarrier is";
      default -> ", uninitialised: no thread of the block wrote them";
    };
    return w.fault(lane, verb + " " + size + " bytes of shared memory at " + Warp.hex(at) + why);
  }

  /** Notes a read of what is told apart as {@code g}. */
  private void note(Warp w, int lane, int at, int size, int g, int stamp) {
    int writer = writers[g];
    if (writer != 0 && unordered(w, lane, writer)) {
      throw race(w, lane, at, size, "reads", "wrote", writer, writersAt[g]);
    }
    int reader = readers[g];
    if (reader == stamp) {
      return;
    }
    if ((reader ^ stamp) << 32 - THREAD_BITS >>> 37 - THREAD_BITS != 0) {
      others[g] = reader;
    }
    readers[g] = stamp;
    readersAt[g] = w.at;
  }

  /** Writes at an offset that was checked. */
  void put(Warp w, int lane, int at, int size, long value) {
    if (races) {
      generic(w, lane, at, size);
      write(w, lane, at, size, Words.get(words, at, size) == (size == 8 ? value : value & -1L >>> 64 - size * 8));
    }
    Words.put(words, at, size, value);
    Words.mark(valid, at, size);
  }

  /** A write by an instruction that is not one of the proxy's. */
  private void generic(Warp w, int lane, int at, int size) {
    if (proxy == null) {
      return;
    }
    byte kind = flight[at >>> 2];
    if (kind >= BULK) {
      throw w.fault(
          lane,
          "writes " + size + " bytes of shared memory at " + Warp.hex(at)
              + (kind == BULK ? " while a bulk copy to it is in flight" : ", where an mbarrier is"));
    }
    proxy.write(w, lane, at, size);
  }

  private void write(Warp w, int lane, int at, int size, boolean same) {
    write(w, lane, at, size, same, stamp(w, lane));
  }

  private void write(Warp w, int lane, int at, int size, boolean same, int stamp) {
    for (int g = at >>> grain, end = at + size - 1 >>> grain; g <= end; g++) {
      int writer = writers[g];
      // Threads that write the same value do no harm.
      if (writer != 0 && !same && unordered(w, lane, writer)) {
        throw race(w, lane, at, size, "writes", "wrote", writer, writersAt[g]);
      }
      if (readers[g] != 0 && unordered(w, lane, readers[g])) {
        throw race(w, lane, at, size, "writes", "read", readers[g], readersAt[g]);
      }
      if (others[g] != 0 && unordered(w, lane, others[g])) {
        throw race(w, lane, at, size, "writes", "read", others[g], -1);
      }
      writers[g] = stamp;
      writersAt[g] = w.at;
      readers[g] = 0;
      others[g] = 0;
    }
  }

  /** An atomic access: what it does to the memory, without the order that plain accesses need. */
  long getAtomic(Warp w, int lane, int at, int size) {
    if (memory && !Words.valid(valid, at, size)) {
      throw unreadable(w, lane, at, size, "changes");
    }
    if (races) {
      generic(w, lane, at, size);
    }
    return Words.get(words, at, size);
  }

  void putAtomic(int at, int size, long value) {
    Words.put(words, at, size, value);
    Words.mark(valid, at, size);
  }

  /** Notes that a copy to these bytes has begun: from now on they hold nothing. */
  void fly(Warp w, int lane, int at, int size) {
    if (races) {
      generic(w, lane, at, size);
      write(w, lane, at, size, false);
    }
    take(at, size, COPY);
  }

  private void take(int at, int size, byte kind) {
    int from = at >>> 2;
    int to = at + size >>> 2;
    Arrays.fill(valid, from, to, (byte) 0);
    Arrays.fill(flight, from, to, kind);
    Arrays.fill(words, from, to, 0xcdcdcdcd);
  }

  /** Notes that a bulk copy to whole 16 bytes has begun, which this mbarrier waits for. */
  void fly(Warp w, int lane, int at, int size, Mbarrier barrier) {
    for (int i = at >>> 2; i < at + size >>> 2; i++) {
      if (flight[i] != 0) {
        throw w.fault(
            lane,
            "copies to shared memory at " + Warp.hex(4L * i)
                + (flight[i] == MBARRIER ? ", where an mbarrier is" : ", to which another copy is in flight"));
      }
    }
    if (races) {
      if (proxy != null) {
        proxy.overwrite(w, lane, at, size);
      }
      write(w, lane, at, size, false, barrier.copyStamp());
    }
    take(at, size, BULK);
  }

  /** The bytes of a bulk copy arrive. */
  void land(int at, int[] value) {
    System.arraycopy(value, 0, words, at >>> 2, value.length);
    Arrays.fill(valid, at >>> 2, (at >>> 2) + value.length, (byte) 15);
    Arrays.fill(flight, at >>> 2, (at >>> 2) + value.length, (byte) 0);
  }

  /** Makes bytes an mbarrier. */
  void reserve(Warp w, int lane, int at, int size) {
    if (races) {
      write(w, lane, at, size, false);
    }
    take(at, size, MBARRIER);
  }

  /** Makes an mbarrier bytes again. */
  void release(int at, int size) {
    take(at, size, (byte) 0);
  }

  /**
   * Checks that an instruction of the proxy may read bytes now. Gives the stamp of the bulk copies of one mbarrier's
   * phase that wrote all of them, or 0.
   */
  int check(Warp w, int lane, int at, int size, String verb) {
    if (races) {
      int stamp = copied(at, size);
      // Who knows of the phase knows that the copies have arrived, and nobody has written since.
      if (stamp != 0 && !unordered(w, lane, stamp)) {
        return stamp;
      }
    }
    for (int i = at; i < at + size; i += 4) {
      if (memory && valid[i >>> 2] != 15) {
        throw unreadable(w, lane, i, 4, verb);
      }
    }
    if (races) {
      for (int g = at >>> grain, end = at + size - 1 >>> grain; g <= end; g++) {
        int writer = writers[g];
        if (writer != 0 && unordered(w, lane, writer)) {
          throw race(w, lane, g << grain, 1 << grain, verb, "wrote", writer, writersAt[g]);
        }
      }
      if (proxy != null) {
        proxy.read(w, lane, at, size, verb);
      }
    }
    return 0;
  }

  private int copied(int at, int size) {
    int g = at >>> grain;
    int stamp = writers[g];
    for (int end = at + size - 1 >>> grain; g < end; ) {
      if (writers[++g] != stamp) {
        return 0;
      }
    }
    return (stamp & COPIES) != 0 ? stamp : 0;
  }

  /** Whether a warp knows of the phases of these stamps. */
  static boolean knows(Warp w, int[] stamps) {
    for (int stamp : stamps) {
      if (unordered(w, 0, stamp)) {
        return false;
      }
    }
    return true;
  }

  /** The words as they are. */
  int[] words() {
    return words;
  }

  /** Notes that bytes were read until now by what this lane waited for. */
  void noteRead(Warp w, int lane, int at, int size) {
    if (races) {
      int stamp = stamp(w, lane);
      for (int g = at >>> grain, end = at + size - 1 >>> grain; g <= end; g++) {
        note(w, lane, g << grain, 1 << grain, g, stamp);
      }
    }
  }

  /** One word of a copy arrives. */
  void land(Warp w, int lane, int at, int value) {
    int i = at >>> 2;
    words[i] = value;
    valid[i] = 15;
    flight[i] = 0;
    if (races) {
      int stamp = stamp(w, lane);
      for (int g = at >>> grain, end = at + 3 >>> grain; g <= end; g++) {
        writers[g] = stamp;
        writersAt[g] = w.at;
      }
    }
  }

  static int stamp(Warp w, int lane) {
    return w.clocks[w.index] << THREAD_BITS | w.thread(lane);
  }

  static boolean unordered(Warp w, int lane, int stamp) {
    int thread = stamp & (1 << THREAD_BITS) - 1;
    int clock = stamp >>> THREAD_BITS;
    if (thread >= COPIES) {
      return clock > w.clocks[w.block.copyClock(thread - COPIES)];
    }
    int warp = thread >>> 5;
    return warp == w.index ? clock >= w.clocks[warp] && thread != w.thread(lane) : clock > w.clocks[warp];
  }

  private static PtxException race(
      Warp w, int lane, int at, int size, String verb, String did, int stamp, int otherAt) {
    int thread = stamp & (1 << THREAD_BITS) - 1;
    if (thread >= COPIES) {
      return w.fault(
          lane,
          "race: " + verb + " " + size + " bytes of shared memory at " + Warp.hex(at) + ", which a bulk copy " + did
              + " at " + w.block.kernel.place(otherAt) + "; this thread has not waited for its mbarrier");
    }
    String how = thread >>> 5 == w.index ? "no __syncwarp or barrier" : "no barrier";
    return w.fault(
        lane,
        "race: " + verb + " " + size + " bytes of shared memory at " + Warp.hex(at) + ", which thread "
            + w.block.position(thread) + " " + did + (otherAt < 0 ? "" : " at " + w.block.kernel.place(otherAt)) + "; "
            + how + " lies between");
  }
}
