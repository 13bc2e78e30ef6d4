package dev.fovea.kernels.ptx;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.function.Consumer;

/**
 * The bulk copies of a warp from shared to global memory. They read until their thread waits for that, and write when
 * it waits for the whole of them, or when the block ends.
 */
final class BulkStores {
  /** One copy; it has read when it is no longer reading, and goes when it has written. */
  private static final class Store {
    final int lane;
    final int group;
    final int at;
    final int place;
    final int[] words;
    final Consumer<int[]> target;
    boolean reading = true;

    Store(int lane, int group, int at, int place, int[] words, Consumer<int[]> target) {
      this.lane = lane;
      this.group = group;
      this.at = at;
      this.place = place;
      this.words = words;
      this.target = target;
    }
  }

  private final List<Store> flying = new ArrayList<>();

  /** The groups that each lane has closed. */
  private final int[] groups = new int[Warp.LANES];

  void clear() {
    flying.clear();
    Arrays.fill(groups, 0);
  }

  /** Begins a copy of shared memory; {@code target} writes its words. */
  void add(Warp w, int lane, int at, int bytes, Consumer<int[]> target) {
    SharedMemory shared = w.block.shared;
    shared.check(w, lane, at, bytes, "copies in bulk from");
    int[] words = Arrays.copyOfRange(shared.words(), at >> 2, at + bytes >> 2);
    if (shared.proxy != null) {
      shared.proxy.store(at, bytes, 1);
    }
    flying.add(new Store(lane, groups[lane], at, w.at, words, target));
  }

  void commit(int lanes) {
    for (int m = lanes; m != 0; m &= m - 1) {
      groups[Integer.numberOfTrailingZeros(m)]++;
    }
  }

  /** Waits for the groups of these lanes but the latest so many: for their reads only, or for all they do. */
  void await(Warp w, int lanes, int left, boolean read) {
    for (Iterator<Store> i = flying.iterator(); i.hasNext(); ) {
      Store store = i.next();
      if ((lanes >> store.lane & 1) == 0 || store.group >= groups[store.lane] - left) {
        continue;
      }
      if (store.reading) {
        store.reading = false;
        int bytes = 4 * store.words.length;
        if (w.block.shared.proxy != null) {
          w.block.shared.proxy.store(store.at, bytes, -1);
        }
        w.block.shared.noteRead(w, store.lane, store.at, bytes);
      }
      if (!read) {
        store.target.accept(store.words);
        i.remove();
      }
    }
  }

  /** Fails for a lane that leaves while its copies read, as its block's memory may be another's then. */
  void exit(Warp w, int lanes) {
    for (Store store : flying) {
      if ((lanes >> store.lane & 1) != 0 && store.reading) {
        throw w.fault(
            store.lane,
            (store.group == groups[store.lane] ? "exits and has not committed" : "exits and has not waited for")
                + " its bulk copy at " + w.block.kernel.place(store.place)
                + ", which may still read shared memory (wait_group.read would wait)");
      }
    }
  }

  /** The block has ended: all arrives. */
  void finish() {
    for (Store store : flying) {
      store.target.accept(store.words);
    }
    flying.clear();
  }
}
