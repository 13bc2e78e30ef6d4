package dev.fovea.kernels.ptx;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The rows of a tensor's box between global memory and the words of its image in shared memory. Rows lie there one
 * after another; 16-byte chunks of them are swapped by the swizzle, whose pattern belongs to addresses.
 */
final class BoxRows {
  private final Warp w;
  private final int lane;
  private final TensorBox box;
  private final int[] corner;

  /** Where the image begins in shared memory. */
  private final int to;

  private final int[] image;
  private final int[] row;
  private @Nullable Allocation allocation;

  private BoxRows(Warp w, int lane, TensorBox box, int[] corner, int to, int[] image) {
    this.w = w;
    this.lane = lane;
    this.box = box;
    this.corner = corner;
    this.to = to;
    this.image = image;
    row = new int[box.rowBytes() / 4];
  }

  /** What a row is asked for, with the address of its first element inside of the tensor, and those elements. */
  @FunctionalInterface
  private interface Row {
    void run(int number, long address, int from, int end);
  }

  /** Reads a box; what lies outside is zero. */
  static int[] read(Warp w, int lane, TensorBox box, int[] corner, int to) {
    BoxRows rows = new BoxRows(w, lane, box, corner, to, new int[box.bytes() / 4]);
    rows.each(rows::load);
    return rows.image;
  }

  /** Fails if a box cannot be written. */
  static void check(Warp w, int lane, TensorBox box, int[] corner) {
    BoxRows rows = new BoxRows(w, lane, box, corner, 0, new int[0]);
    rows.each((number, address, from, end) -> rows.place(address, (end - from) * box.element(), "copies in bulk to"));
  }

  /** Writes what lies inside of the tensor. */
  static void write(Warp w, int lane, TensorBox box, int[] corner, int from, int[] image) {
    BoxRows rows = new BoxRows(w, lane, box, corner, from, image);
    rows.each(rows::store);
  }

  private void each(Row action) {
    int from = Math.clamp(-(long) corner[0], 0, box.box()[0]);
    int end = Math.clamp(box.sizes()[0] - corner[0], 0, box.box()[0]);
    int rows = from < end ? box.rows() : 0;
    for (int number = 0; number < rows; number++) {
      long address = box.address() + (long) (corner[0] + from) * box.element();
      boolean inside = true;
      int left = number;
      for (int i = 1; i < box.rank(); i++) {
        long at = corner[i] + left % box.box()[i];
        left /= box.box()[i];
        inside &= at >= 0 && at < box.sizes()[i];
        address += at * box.strides()[i];
      }
      if (inside) {
        action.run(number, address, from, end);
      }
    }
  }

  private Allocation place(long address, int bytes, String verb) {
    Allocation found = allocation;
    if (found == null || address < found.base || address - found.base + bytes > found.limit) {
      found = w.block.launch.memory().find(w, lane, address, bytes, verb);
      allocation = found;
    }
    return found;
  }

  private void load(int number, long address, int from, int end) {
    int bytes = (end - from) * box.element();
    Allocation source = place(address, bytes, "copies in bulk from");
    long at = address - source.base;
    checkValid(source, at, bytes);
    if (w.block.order != null) {
      w.block.order.read(w, lane, source, at, bytes);
    }
    Arrays.fill(row, 0);
    copy(source.words, at, row, (long) from * box.element(), bytes);
    for (int chunk = 0; chunk < row.length; chunk += 4) {
      System.arraycopy(row, chunk, image, place(number, chunk), 4);
    }
  }

  /** The place in the image of a chunk that begins at this word of its row. */
  private int place(int number, int chunk) {
    return box.swizzled(to + (number * row.length + chunk) * 4) - to >> 2;
  }

  private static void copy(int[] from, long at, int[] into, long to, int bytes) {
    if (((at | to | bytes) & 3) == 0) {
      System.arraycopy(from, (int) (at >> 2), into, (int) (to >> 2), bytes >> 2);
    } else {
      MemorySegment source = MemorySegment.ofArray(from);
      MemorySegment target = MemorySegment.ofArray(into);
      MemorySegment.copy(source, ValueLayout.JAVA_BYTE, at, target, ValueLayout.JAVA_BYTE, to, bytes);
    }
  }

  private void checkValid(Allocation source, long at, int bytes) {
    byte[] valid = source.valid;
    if (valid == null || !w.block.launch.checks().memory()) {
      return;
    }
    for (long i = at; i < at + bytes; i++) {
      boolean whole = (i & 3) == 0 && i + 4 <= at + bytes;
      if (!Words.valid(valid, i, whole ? 4 : 1)) {
        throw w.fault(lane, "copies in bulk what is uninitialised at offset " + i + " of " + source);
      }
      i += whole ? 3 : 0;
    }
  }

  private void store(int number, long address, int from, int end) {
    int bytes = (end - from) * box.element();
    Allocation target = place(address, bytes, "copies in bulk to");
    long at = address - target.base;
    for (int chunk = 0; chunk < row.length; chunk += 4) {
      System.arraycopy(image, place(number, chunk), row, chunk, 4);
    }
    if (w.block.order != null) {
      w.block.order.write(w, lane, target, at, bytes);
    }
    long first = (long) from * box.element();
    if (((at | first | bytes) & 3) == 0) {
      System.arraycopy(row, (int) (first >> 2), target.words, (int) (at >> 2), bytes >> 2);
    } else {
      int step = Math.min(4, box.element());
      for (int i = 0; i < bytes; i += step) {
        // Other threads may write the rest of the words at the ends.
        Words.putShared(target.words, at + i, step, Words.get(row, first + i, step));
      }
    }
    target.written(at, bytes);
  }
}
