package dev.fovea.kernels.ptx;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;

/**
 * The {@code wgmma} of a warp that are in flight: what they add up stands in registers when their group was waited for,
 * and until then these registers and those of their operands belong to nobody.
 */
final class Products {
  /** Sums in flight: 16 rows of a warpgroup's 64. */
  static final class Tile {
    final int[] slots;
    final float[] sums;
    int group;

    Tile(int[] slots) {
      this.slots = slots;
      sums = new float[16 * 2 * slots.length];
    }
  }

  /** Registers of an operand in flight. */
  private record Source(int[] slots, int group) {}

  private final Warp warp;
  private final List<Tile> tiles = new ArrayList<>();
  private final List<Source> sources = new ArrayList<>();

  /** Per register: the wgmma in flight that use it. */
  private final int[] flying;

  /** Per register: the instruction + 1 that used it since the last fence. */
  private final int[] touched;

  private boolean fenced;
  private int closed;

  /** Per closed group: the number of its last wgmma. */
  private int[] last = new int[16];

  Products(Warp warp, int registers) {
    this.warp = warp;
    flying = new int[registers];
    touched = new int[registers];
  }

  void clear() {
    tiles.clear();
    sources.clear();
    Arrays.fill(flying, 0);
    Arrays.fill(touched, 0);
    fenced = false;
    closed = 0;
  }

  /** An instruction that is not wgmma uses registers that some wgmma use, too. */
  void touch(int lanes, int[] slots) {
    for (int slot : slots) {
      int i = slot / Warp.LANES;
      if (flying[i] != 0) {
        throw warp.fault(
            Integer.numberOfTrailingZeros(lanes),
            "uses a register of a wgmma in flight: no wgmma.wait_group has waited for it");
      }
      touched[i] = warp.at + 1;
    }
  }

  /** Executes a {@code wgmma.fence}. */
  void fence() {
    fenced = true;
    Arrays.fill(touched, 0);
  }

  /** Fails for registers that were used since the last fence. */
  void checkFenced(int[] slots) {
    if (!fenced) {
      throw warp.fault(0, "multiplies before any wgmma.fence");
    }
    for (int slot : slots) {
      int by = touched[slot / Warp.LANES];
      if (by != 0) {
        throw warp.fault(
            0,
            "multiplies with a register that was used since the last wgmma.fence, at "
                + warp.block.kernel.place(by - 1));
      }
    }
  }

  /** The sums of these registers, in flight from now on; they have the registers' values unless they were already. */
  Tile tile(int[] slots, boolean fresh) {
    for (Tile tile : tiles) {
      if (Arrays.equals(tile.slots, slots)) {
        tile.group = closed + 1;
        return tile;
      }
    }
    Tile tile = new Tile(slots);
    tile.group = closed + 1;
    for (int slot : slots) {
      if (flying[slot / Warp.LANES]++ != 0) {
        throw warp.fault(0, "adds up in registers of which another wgmma in flight uses some, in another shape");
      }
    }
    if (!fresh) {
      read(tile);
    }
    tiles.add(tile);
    return tile;
  }

  private void read(Tile tile) {
    int columns = 2 * tile.slots.length;
    for (int i = 0; i < tile.slots.length; i++) {
      for (int l = 0; l < Warp.LANES; l++) {
        tile.sums[element(i, l, columns)] = Float.intBitsToFloat((int) warp.r[tile.slots[i] + l]);
      }
    }
  }

  private void write(Tile tile) {
    int columns = 2 * tile.slots.length;
    for (int i = 0; i < tile.slots.length; i++) {
      for (int l = 0; l < Warp.LANES; l++) {
        warp.r[tile.slots[i] + l] = Float.floatToRawIntBits(tile.sums[element(i, l, columns)]);
      }
    }
  }

  /** Where the number of register i of a lane stands in the sums. */
  private static int element(int i, int lane, int columns) {
    int row = (lane >> 2) + 8 * (i >> 1 & 1);
    return row * columns + 8 * (i >> 2) + 2 * (lane & 3) + (i & 1);
  }

  /** Notes that these registers are an operand in flight. */
  void source(int[] slots) {
    for (int slot : slots) {
      flying[slot / Warp.LANES]++;
    }
    sources.add(new Source(slots, closed + 1));
  }

  /** Closes a group, whose last wgmma has this number. */
  void commit(int number) {
    closed++;
    if (closed >= last.length) {
      last = Arrays.copyOf(last, 2 * last.length);
    }
    last[closed] = number;
  }

  /** The number of the last wgmma that a wait for all groups but the latest so many waits for. */
  int awaited(int left) {
    return closed - left <= 0 ? 0 : last[closed - left];
  }

  /** Completes all groups but the latest so many. */
  void complete(int left) {
    int done = closed - left;
    for (Iterator<Tile> i = tiles.iterator(); i.hasNext(); ) {
      Tile tile = i.next();
      if (tile.group <= done) {
        write(tile);
        land(tile.slots);
        i.remove();
      }
    }
    sources.removeIf(source -> {
      boolean over = source.group <= done;
      if (over) {
        land(source.slots);
      }
      return over;
    });
  }

  private void land(int[] slots) {
    for (int slot : slots) {
      flying[slot / Warp.LANES]--;
    }
  }

  /** Fails if something is in flight when lanes exit. */
  void exit(int lanes) {
    if (!tiles.isEmpty()) {
      throw warp.fault(Integer.numberOfTrailingZeros(lanes), "exits and has not waited for its wgmma");
    }
  }
}
