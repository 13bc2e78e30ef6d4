package dev.fovea.kernels.ptx;

import org.jspecify.annotations.Nullable;

/** A load from global or constant memory. */
final class GlobalLoad implements Op {
  private final Loads.Access x;

  /** The allocation of the last access: most often that of the next. */
  private @Nullable Allocation last;

  GlobalLoad(Operands o) {
    x = new Loads.Access(o);
  }

  int base() {
    return x.a;
  }

  @Override
  public void run(Warp w, int m) {
    long[] r = w.r;
    int span = x.span;
    Allocation allocation = last;
    GlobalOrder.Member order = w.block.order;
    boolean checked = w.block.launch.checks().memory();
    for (; m != 0; m &= m - 1) {
      int l = Integer.numberOfTrailingZeros(m);
      long address = r[x.a + l] + x.offset;
      if (allocation == null || address < allocation.base || address - allocation.base + span > allocation.limit) {
        allocation = w.block.launch.memory().find(w, l, address, span, "reads");
        last = allocation;
      }
      if ((address & span - 1) != 0) {
        throw w.fault(
            l, "reads " + span + " bytes at " + Warp.hex(address) + ", which is misaligned, in " + allocation);
      }
      long at = address - allocation.base;
      byte[] valid = allocation.valid;
      if (checked && valid != null && !Words.valid(valid, at, span)) {
        throw uninitialised(w, l, address, allocation, valid);
      }
      if (order != null) {
        order.read(w, l, allocation, at, span);
      }
      if (x.count == 1) {
        r[x.d[0] + l] = x.extended(Words.get(allocation.words, at, x.bytes));
      } else {
        for (int i = 0; i < x.count; i++) {
          r[x.d[i] + l] = x.extended(Words.get(allocation.words, at + i * x.bytes, x.bytes));
        }
      }
    }
  }

  private PtxException uninitialised(Warp w, int lane, long address, Allocation allocation, byte[] valid) {
    long at = address - allocation.base;
    int first = 0;
    while (Words.valid(valid, at + first, 1)) {
      first++;
    }
    return w.fault(
        lane,
        "reads " + x.span + " bytes at " + Warp.hex(address) + ", uninitialised from offset " + (at + first) + " of "
            + allocation + " on");
  }
}
