package dev.fovea.kernels.ptx;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * {@code cp.async.bulk}, of tensors or of plain bytes. To shared memory, what is copied arrives when its mbarrier's
 * phase ends; from shared memory, when its thread waits for the group or the block ends.
 */
final class BulkCopies {
  private static final int UNIT = 16;

  /** Shared memory of a tensor's box begins at a multiple of this. */
  private static final int BOX_ALIGNMENT = 128;

  private BulkCopies() {}

  static Op compile(Operands o) {
    return switch (o.part(3)) {
      case "commit_group" -> (w, m) -> w.bulk().commit(m);
      case "wait_group" -> {
        int left = o.number(0);
        boolean read = o.has("read");
        yield (w, m) -> w.bulk().await(w, m, left, read);
      }
      case "prefetch" -> (w, m) -> {};
      case "tensor" -> tensor(o);
      case "global" -> store(o);
      default -> load(o);
    };
  }

  private static PtxException unknown(Operands o) {
    return o.error("is a bulk copy that the PTX machine does not know");
  }

  private static Op tensor(Operands o) {
    int rank = o.part(4).charAt(0) - '0';
    if (!o.part(4).equals(rank + "d") || o.part(7).startsWith("im2col")) {
      throw unknown(o);
    }
    if (o.part(5).equals("global")) {
      return tensorStore(o, rank);
    }
    if (!o.part(5).startsWith("shared::") || !o.part(6).equals("global") || !o.has("mbarrier::complete_tx::bytes")) {
      throw unknown(o);
    }
    int to = o.base(0);
    long toOffset = o.offset(0);
    TensorOperand tensor = new TensorOperand(o, 1, rank);
    Signal signal = new Signal(o, 2);
    int blocks = o.has("multicast::cluster") ? o.reg(3) : -1;
    return (w, m) -> {
      for (; m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        if (blocks >= 0 && (w.r[blocks + lane] & 0xffff) != 1) {
          throw w.fault(
              lane, "copies to the blocks " + Warp.hex(w.r[blocks + lane] & 0xffff) + " of its cluster, which has one");
        }
        TensorBox box = tensor.box(w, lane);
        int at = boxPlace(w, lane, w.r[to + lane] + toOffset, box);
        Mbarrier barrier = signal.find(w, lane);
        int[] words = BoxRows.read(w, lane, box, tensor.corner(w, lane), at);
        w.block.shared.fly(w, lane, at, box.bytes(), barrier);
        barrier.fly(w, lane, at, words);
      }
    };
  }

  private static Op tensorStore(Operands o, int rank) {
    if (!o.part(6).equals("shared::cta") || !o.has("bulk_group")) {
      throw unknown(o);
    }
    TensorOperand tensor = new TensorOperand(o, 0, rank);
    int from = o.base(1);
    long fromOffset = o.offset(1);
    return (w, m) -> {
      for (; m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        TensorBox box = tensor.box(w, lane);
        int at = boxPlace(w, lane, w.r[from + lane] + fromOffset, box);
        int[] corner = tensor.corner(w, lane);
        BoxRows.check(w, lane, box, corner);
        w.bulk().add(w, lane, at, box.bytes(), words -> BoxRows.write(w, lane, box, corner, at, words));
      }
    };
  }

  /** Checks where in shared memory a box lies; gives the offset. */
  private static int boxPlace(Warp w, int lane, long address, TensorBox box) {
    int at = place(w, lane, address, box.bytes(), BOX_ALIGNMENT, "a tensor's box");
    if (box.swizzle() > box.rowBytes()) {
      throw w.fault(
          lane,
          "copies rows of " + box.rowBytes() + " bytes with a swizzle of " + box.swizzle()
              + ", which the PTX machine does not know");
    }
    return at;
  }

  private static int place(Warp w, int lane, long address, int bytes, int alignment, String what) {
    int at = w.block.shared.offset(w, lane, address & -UNIT, UNIT, "copies in bulk");
    if ((address & alignment - 1) != 0) {
      throw w.fault(
          lane,
          "copies " + what + " at " + Warp.hex(address & 0xffff_ffffL) + " of shared memory, which is no multiple of "
              + alignment);
    }
    if (bytes > UNIT) {
      w.block.shared.offset(w, lane, at + bytes - UNIT, UNIT, "copies in bulk up to");
    }
    return at;
  }

  private static Op load(Operands o) {
    if (!o.part(3).startsWith("shared::") || !o.part(4).equals("global") || !o.has("mbarrier::complete_tx::bytes")) {
      throw unknown(o);
    }
    int to = o.base(0);
    long toOffset = o.offset(0);
    int from = o.base(1);
    long fromOffset = o.offset(1);
    int size = o.reg(2);
    Signal signal = new Signal(o, 3);
    return (w, m) -> {
      for (; m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        int bytes = (int) w.r[size + lane];
        long source = w.r[from + lane] + fromOffset;
        checkSize(w, lane, bytes, source);
        int at = place(w, lane, w.r[to + lane] + toOffset, bytes, UNIT, "bytes");
        Mbarrier barrier = signal.find(w, lane);
        TensorBox row = row(source, bytes);
        int[] words = BoxRows.read(w, lane, row, new int[1], at);
        w.block.shared.fly(w, lane, at, bytes, barrier);
        barrier.fly(w, lane, at, words);
      }
    };
  }

  private static Op store(Operands o) {
    if (!o.part(4).equals("shared::cta") || !o.has("bulk_group")) {
      throw unknown(o);
    }
    int to = o.base(0);
    long toOffset = o.offset(0);
    int from = o.base(1);
    long fromOffset = o.offset(1);
    int size = o.reg(2);
    return (w, m) -> {
      for (; m != 0; m &= m - 1) {
        int lane = Integer.numberOfTrailingZeros(m);
        int bytes = (int) w.r[size + lane];
        long target = w.r[to + lane] + toOffset;
        checkSize(w, lane, bytes, target);
        int at = place(w, lane, w.r[from + lane] + fromOffset, bytes, UNIT, "bytes");
        TensorBox row = row(target, bytes);
        BoxRows.check(w, lane, row, new int[1]);
        w.bulk().add(w, lane, at, bytes, words -> BoxRows.write(w, lane, row, new int[1], at, words));
      }
    };
  }

  private static void checkSize(Warp w, int lane, int bytes, long address) {
    if (bytes <= 0 || bytes % UNIT != 0 || address % UNIT != 0) {
      throw w.fault(
          lane,
          "copies " + bytes + " bytes in bulk at " + Warp.hex(address) + " of global memory; both must be multiples of "
              + UNIT + ", not 0");
    }
  }

  /** Plain bytes as a tensor of one row. */
  private static TensorBox row(long address, int bytes) {
    return new TensorBox(4, 0, address, new long[] {bytes / 4}, new long[] {4}, new int[] {bytes / 4});
  }

  /** The operand that names the mbarrier of a copy. */
  private static final class Signal {
    private final int a;
    private final long offset;

    Signal(Operands o, int operand) {
      a = o.base(operand);
      offset = o.offset(operand);
    }

    Mbarrier find(Warp w, int lane) {
      int at = Mbarriers.place(w, lane, w.r[a + lane] + offset, false);
      Mbarrier barrier = w.block.mbarriers().find(w, lane, at);
      barrier.checkFenced(w, lane);
      return barrier;
    }
  }

  /** The operand {@code [map, {coordinates}]}. */
  private static final class TensorOperand {
    private final int a;
    private final long offset;
    private final int[] coordinates;

    TensorOperand(Operands o, int operand, int rank) {
      a = o.base(operand);
      offset = o.offset(operand);
      coordinates = o.coordinates(operand);
      if (coordinates.length != rank) {
        throw o.error("has " + coordinates.length + " coordinates");
      }
    }

    int[] corner(Warp w, int lane) {
      int[] corner = new int[coordinates.length];
      for (int i = 0; i < corner.length; i++) {
        corner[i] = (int) w.r[coordinates[i] + lane];
      }
      return corner;
    }

    TensorBox box(Warp w, int lane) {
      TensorBox box = box(w, lane, w.r[a + lane] + offset);
      if (box.rank() != coordinates.length) {
        throw w.fault(
            lane, "gives " + coordinates.length + " coordinates for a tensor map of " + box.rank() + " dimensions");
      }
      return box;
    }

    private static TensorBox box(Warp w, int lane, long address) {
      if (address % 64 != 0) {
        throw w.fault(lane, "uses a tensor map at " + Warp.hex(address) + ", which is no multiple of 64");
      }
      long window = GlobalMemory.window(address);
      TensorBox box = null;
      if (window == GlobalMemory.PARAM_WINDOW) {
        box = w.block.tensorBox((int) (address - window - Frame.PARAMETERS) / 4);
      } else if (window == 0) {
        Allocation allocation = w.block.launch.memory().find(w, lane, address, 128, "reads a tensor map of");
        int[] words = new int[32];
        MemorySegment source = MemorySegment.ofArray(allocation.words);
        MemorySegment.copy(source, ValueLayout.JAVA_INT, address - allocation.base, words, 0, words.length);
        box = TensorBox.decode(words, 0);
      }
      if (box == null) {
        throw w.fault(lane, "uses a tensor map at " + Warp.hex(address) + ", where none is that a driver encoded");
      }
      return box;
    }
  }
}
