package dev.fovea.kernels.ptx;

import java.util.Arrays;

/**
 * What lies between a block's threads and what bulk copies and {@code wgmma} do with its shared memory: these read and
 * write through a proxy of their own. A thread's writes are seen there after its {@code fence.proxy.async} only, which
 * must come before the barrier by which the reader learns of them; and what is read there must not be written before
 * somebody has waited for it. Kept per 16 bytes, the least that the proxy moves.
 */
final class AsyncProxy {
  static final int GRAIN = 4;

  private static final int NONE = Integer.MAX_VALUE;

  private final Block block;

  /** The thread + 1 that last wrote, 0 for nobody or the proxy itself. */
  private final int[] writers;

  /** How many fences that thread had executed before. */
  private final int[] epochs;

  /** Bulk stores that still read. */
  private final short[] stores;

  /** Per warpgroup: the number of its last wgmma that reads. */
  private final int[][] products;

  /** Per thread: its fences, each with the clock of its warp. */
  private final int[][] fences;

  private final int[] fenced;

  AsyncProxy(Block block, int bytes) {
    this.block = block;
    int grains = (bytes >>> GRAIN) + 1;
    writers = new int[grains];
    epochs = new int[grains];
    stores = new short[grains];
    products = new int[block.groupCount][grains];
    fences = new int[block.threads][0];
    fenced = new int[block.threads];
  }

  void clear() {
    Arrays.fill(writers, 0);
    Arrays.fill(stores, (short) 0);
    Arrays.fill(fenced, 0);
    for (int[] product : products) {
      Arrays.fill(product, 0);
    }
  }

  /** Executes a {@code fence.proxy.async} of these lanes. */
  void fence(Warp w, int lanes) {
    for (int m = lanes; m != 0; m &= m - 1) {
      int thread = w.thread(Integer.numberOfTrailingZeros(m));
      int[] known = fences[thread];
      if (fenced[thread] == known.length) {
        known = Arrays.copyOf(known, known.length * 2 + 4);
        fences[thread] = known;
      }
      known[fenced[thread]++] = w.clocks[w.index];
    }
  }

  /** A thread writes: nobody may be reading. */
  void write(Warp w, int lane, int at, int size) {
    int thread = w.thread(lane);
    for (int g = at >>> GRAIN, end = at + size - 1 >>> GRAIN; g <= end; g++) {
      checkReads(w, lane, g, "writes");
      writers[g] = thread + 1;
      epochs[g] = fenced[thread];
    }
  }

  /** A bulk copy will write: nobody may be reading, and what threads wrote there must have been fenced. */
  void overwrite(Warp w, int lane, int at, int size) {
    for (int g = at >>> GRAIN, end = at + size - 1 >>> GRAIN; g <= end; g++) {
      checkReads(w, lane, g, "copies to");
      checkFenced(w, lane, g, "copies over");
      writers[g] = 0;
    }
  }

  private void checkReads(Warp w, int lane, int g, String verb) {
    if (stores[g] != 0) {
      throw w.fault(
          lane,
          verb + " shared memory at " + Warp.hex((long) g << GRAIN)
              + " which a bulk store still reads: no wait_group.read has waited for it");
    }
    for (int i = 0; i < products.length; i++) {
      int number = products[i][g];
      if (number > w.clocks[block.warpCount + i]) {
        throw w.fault(
            lane,
            "race: " + verb + " shared memory at " + Warp.hex((long) g << GRAIN) + ", which wgmma number " + number
                + " of warpgroup " + i + " reads; no wgmma.wait_group for it and barrier lie between");
      }
    }
  }

  private void checkFenced(Warp w, int lane, int g, String verb) {
    int thread = writers[g] - 1;
    if (thread < 0) {
      return;
    }
    int clock = fenced[thread] > epochs[g] ? fences[thread][epochs[g]] : NONE;
    int warp = thread >>> 5;
    if (clock == NONE || warp != w.index && clock > w.clocks[warp]) {
      throw w.fault(
          lane,
          verb + " shared memory at " + Warp.hex((long) g << GRAIN) + ", which thread " + block.position(thread)
              + " wrote: no fence.proxy.async of that thread lies between"
              + (clock == NONE ? "" : " (the one it executed came after the barrier)"));
    }
  }

  /** The proxy reads: what threads wrote there must have been fenced. */
  void read(Warp w, int lane, int at, int size, String verb) {
    for (int g = at >>> GRAIN, end = at + size - 1 >>> GRAIN; g <= end; g++) {
      if (writers[g] != 0) {
        checkFenced(w, lane, g, verb);
      }
    }
  }

  /** Notes that a bulk store reads from now on, or no longer. */
  void store(int at, int size, int step) {
    for (int g = at >>> GRAIN, end = at + size - 1 >>> GRAIN; g <= end; g++) {
      stores[g] += (short) step;
    }
  }

  /** Notes that the wgmma of this number of a warpgroup reads 16 bytes. */
  void product(int group, int number, int at) {
    products[group][at >>> GRAIN] = number;
  }
}
