package dev.fovea.kernels.ptx;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The {@code cp.async} of a warp that are in flight. Their bytes arrive when they are waited for, and not before. */
final class AsyncQueue {
  /** One instruction's copies, a lane each. */
  private static final class Copies {
    int lanes;
    int bytes;
    final int[] to = new int[Warp.LANES];
    final long[] from = new long[Warp.LANES];
    final int[] size = new int[Warp.LANES];
    final int[] group = new int[Warp.LANES];
    final @Nullable Allocation[] source = new Allocation[Warp.LANES];
  }

  private final List<Copies> flying = new ArrayList<>();
  private final ArrayDeque<Copies> spare = new ArrayDeque<>();

  /** The groups that each lane has closed. */
  private final int[] groups = new int[Warp.LANES];

  static Op compile(Operands o) {
    return switch (o.part(2)) {
      case "ca", "cg" -> copy(o);
      case "commit_group" -> (w, m) -> w.async.commit(m);
      case "wait_group" -> {
        int left = o.number(0);
        yield (w, m) -> w.async.await(w, m, left);
      }
      case "wait_all" -> (w, m) -> w.async.await(w, m, -1);
      default -> throw o.error("is an instruction that the PTX machine does not know");
    };
  }

  private static Op copy(Operands o) {
    int to = o.base(0);
    long toOffset = o.offset(0);
    int from = o.base(1);
    long fromOffset = o.offset(1);
    int bytes = o.number(2);
    boolean ignores = o.isPred(3);
    int ignored = ignores ? o.source(3) : 0;
    boolean policy = o.has("L2::cache_hint");
    int size = !ignores && o.count() > (policy ? 4 : 3) ? o.reg(3) : -1;
    Sources sources = new Sources(bytes);
    return (w, m) -> {
      Copies copies = w.async.next(m, bytes);
      int zeros = Operands.value(w, ignored);
      for (; m != 0; m &= m - 1) {
        int l = Integer.numberOfTrailingZeros(m);
        int at = w.block.shared.offset(w, l, w.r[to + l] + toOffset, bytes, "copies asynchronously to");
        int count = (zeros >> l & 1) != 0 ? 0 : size < 0 ? bytes : (int) w.r[size + l];
        long source = w.r[from + l] + fromOffset;
        copies.source[l] = sources.find(w, l, source, count);
        w.block.shared.fly(w, l, at, bytes);
        copies.to[l] = at;
        copies.from[l] = source;
        copies.size[l] = count;
        copies.group[l] = w.async.groups[l];
      }
    };
  }

  /** Finds and checks where copies come from. */
  private static final class Sources {
    private final int bytes;

    /** The allocation of the last copy: most often that of the next. */
    private @Nullable Allocation last;

    Sources(int bytes) {
      this.bytes = bytes;
    }

    @Nullable
    Allocation find(Warp w, int lane, long source, int count) {
      if (count < 0 || count > bytes) {
        throw w.fault(lane, "copies " + count + " bytes asynchronously where " + bytes + " is the most");
      }
      if ((source & bytes - 1) != 0) {
        throw w.fault(lane, "copies asynchronously from " + Warp.hex(source) + ", which is no multiple of " + bytes);
      }
      if (count == 0) {
        return null;
      }
      Allocation found = last;
      if (found == null || source < found.base || source - found.base + count > found.limit) {
        found = w.block.launch.memory().find(w, lane, source, count, "copies asynchronously from");
        last = found;
      }
      byte[] valid = found.valid;
      boolean words = (count & 3) == 0;
      if (valid != null
          && w.block.launch.checks().memory()
          && !(words && Words.valid(valid, source - found.base, count))) {
        for (int i = 0; i < count; i++) {
          if (!Words.valid(valid, source - found.base + i, 1)) {
            throw w.fault(
                lane,
                "copies " + count + " bytes asynchronously from " + Warp.hex(source) + ", uninitialised from offset "
                    + (source - found.base + i) + " of " + found + " on");
          }
        }
      }
      return found;
    }
  }

  void clear() {
    spare.addAll(flying);
    flying.clear();
    Arrays.fill(groups, 0);
  }

  private Copies next(int lanes, int bytes) {
    Copies copies = spare.isEmpty() ? new Copies() : spare.pop();
    copies.lanes = lanes;
    copies.bytes = bytes;
    flying.add(copies);
    return copies;
  }

  private void commit(int m) {
    for (; m != 0; m &= m - 1) {
      groups[Integer.numberOfTrailingZeros(m)]++;
    }
  }

  /** Completes the groups of these lanes but the latest so many; -1 means what no group has yet, too. */
  private void await(Warp w, int lanes, int left) {
    int kept = 0;
    for (int i = 0; i < flying.size(); i++) {
      Copies copies = flying.get(i);
      for (int m = copies.lanes & lanes; m != 0; m &= m - 1) {
        int l = Integer.numberOfTrailingZeros(m);
        if (copies.group[l] < groups[l] - left) {
          land(w, l, copies);
          copies.lanes &= ~(1 << l);
        }
      }
      if (copies.lanes == 0) {
        spare.push(copies);
      } else {
        flying.set(kept++, copies);
      }
    }
    flying.subList(kept, flying.size()).clear();
  }

  private static void land(Warp w, int l, Copies copies) {
    int size = copies.size[l];
    Allocation allocation = copies.source[l];
    for (int i = 0; i < copies.bytes; i += 4) {
      int value = 0;
      if (allocation != null && i < size) {
        value = (int) Words.get(allocation.words, copies.from[l] - allocation.base + i & -4L, 4);
        value &= size - i >= 4 ? -1 : (1 << 8 * (size - i)) - 1;
      }
      w.block.shared.land(w, l, copies.to[l] + i, value);
    }
  }
}
