package dev.fovea.kernels.ptx;

import org.jspecify.annotations.Nullable;

/** A store to global memory. */
final class GlobalStore implements Op {
  private final Loads.Access x;
  private @Nullable Allocation last;

  GlobalStore(Operands o) {
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
    for (; m != 0; m &= m - 1) {
      int l = Integer.numberOfTrailingZeros(m);
      long address = r[x.a + l] + x.offset;
      if (allocation == null || address < allocation.base || address - allocation.base + span > allocation.limit) {
        allocation = w.block.launch.memory().find(w, l, address, span, "writes");
        last = allocation;
      }
      if ((address & span - 1) != 0) {
        throw w.fault(
            l, "writes " + span + " bytes at " + Warp.hex(address) + ", which is misaligned, in " + allocation);
      }
      long at = address - allocation.base;
      if (order != null) {
        order.write(w, l, allocation, at, span);
      }
      for (int i = 0; i < x.count; i++) {
        Words.putShared(allocation.words, at + i * x.bytes, x.bytes, r[x.d[i] + l]);
      }
      byte[] valid = allocation.valid;
      if (valid != null) {
        Words.mark(valid, at, span);
      }
    }
  }
}
