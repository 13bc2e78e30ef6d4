package dev.fovea.kernels.ptx;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The warpgroups of a block, four warps each, and how far their warps are in the wgmma that they execute together. */
final class WarpGroups {
  static final int WARPS = 4;

  private final Block block;

  /** Per warp: how many wgmma it has executed. */
  private final int[] issued;

  /** Per warp: the number of the wgmma that it waits for, 0 for none. */
  private final int[] waiting;

  /** Per group and number: what the wgmma is, as the first warp had it. */
  private final long[][] known;

  private final int[] places;

  /** Per group: matrices that warps before have decoded, until the last has used them. */
  private final List<List<Decoded>> decoded = new ArrayList<>();

  /**
   * The second matrix of a wgmma, and the stamps of the bulk copies that brought it; null if it was not these alone.
   */
  record Decoded(int number, float[] values, int @Nullable [] copies) {}

  WarpGroups(Block block) {
    this.block = block;
    issued = new int[block.warpCount];
    waiting = new int[block.warpCount];
    places = new int[block.warpCount];
    known = new long[block.groupCount][64];
    for (int i = 0; i < block.groupCount; i++) {
      decoded.add(new ArrayList<>());
    }
  }

  void clear() {
    Arrays.fill(issued, 0);
    Arrays.fill(waiting, 0);
    decoded.forEach(List::clear);
  }

  int issued(Warp w) {
    return issued[w.index];
  }

  /** Counts a wgmma of a warp, which all warps of its group must execute; {@code what} tells it from others. */
  int issue(Warp w, long what) {
    int group = w.index / WARPS;
    if (group * WARPS + WARPS > block.warpCount) {
      throw w.fault(0, "multiplies in a warpgroup of less than four warps");
    }
    int number = ++issued[w.index];
    boolean leads = true;
    for (int i = group * WARPS; i < group * WARPS + WARPS; i++) {
      leads &= i == w.index || issued[i] < number;
    }
    if (number >= known[group].length) {
      known[group] = Arrays.copyOf(known[group], 2 * number);
    }
    places[w.index] = w.at;
    if (leads) {
      known[group][number] = what;
    } else if (known[group][number] != what) {
      throw w.fault(
          0,
          "is warp " + w.index + ", whose wgmma number " + number
              + " is another, or of other matrices, than that of a warp before it in its warpgroup");
    }
    wake(group);
    return number;
  }

  /** What a warp before has decoded for this wgmma; null if none has. */
  @Nullable
  Decoded decoded(Warp w, int number) {
    for (Decoded matrix : decoded.get(w.index / WARPS)) {
      if (matrix.number == number) {
        return matrix;
      }
    }
    return null;
  }

  /** Keeps what was decoded as long as warps of the group have not executed this wgmma. */
  void keep(Warp w, Decoded matrix) {
    List<Decoded> kept = decoded.get(w.index / WARPS);
    int least = least(w.index / WARPS);
    kept.removeIf(other -> other.number <= least);
    kept.add(matrix);
  }

  private void wake(int group) {
    int least = least(group);
    for (int i = group * WARPS; i < group * WARPS + WARPS; i++) {
      if (waiting[i] != 0 && waiting[i] <= least) {
        waiting[i] = 0;
        block.warps[i].release(-1, 0);
      }
    }
  }

  private int least(int group) {
    int least = Integer.MAX_VALUE;
    for (int i = group * WARPS; i < group * WARPS + WARPS; i++) {
      least = Math.min(least, issued[i]);
    }
    return least;
  }

  /** Whether all warps of the group have executed a wgmma; otherwise the warp waits now. */
  boolean await(Warp w, int number) {
    if (number == 0 || least(w.index / WARPS) >= number) {
      w.clocks[block.warpCount + w.index / WARPS] = Math.max(w.clocks[block.warpCount + w.index / WARPS], number);
      return true;
    }
    waiting[w.index] = number;
    w.block(-1, w.at, Warp.Wait.WARPGROUP);
    return false;
  }

  /** What a warp waits for. */
  String describe(Warp w) {
    StringBuilder text = new StringBuilder("wgmma number " + waiting[w.index] + " of the warps");
    int group = w.index / WARPS;
    for (int i = group * WARPS; i < group * WARPS + WARPS; i++) {
      if (issued[i] < waiting[w.index]) {
        text.append(' ').append(i);
      }
    }
    return text + " of their warpgroup";
  }

  /** Fails if the warps of a group have not executed the same wgmma when the block has ended. */
  void checkTogether() {
    for (int i = 1; i < issued.length; i++) {
      if (i % WARPS != 0 && issued[i] != issued[i - 1]) {
        int most = issued[i] > issued[i - 1] ? i : i - 1;
        throw new PtxException("kernel " + block.kernel.name + ", block " + block.position() + ": warp " + (i - 1)
            + " executed " + issued[i - 1] + " wgmma and warp " + i + " of the same warpgroup " + issued[i]
            + "\n  the last at " + block.kernel.place(places[most]));
      }
    }
  }
}
