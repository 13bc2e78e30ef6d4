package dev.fovea.kernels.ptx;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * The device's memory: allocations with gaps between them, in an address space of 64 bit that also has windows for a
 * block's shared memory, a thread's own and a kernel's parameters.
 */
final class GlobalMemory {
  static final long SHARED_WINDOW = 0x7f00_0000_0000L;
  static final long LOCAL_WINDOW = 0x7e00_0000_0000L;
  static final long PARAM_WINDOW = 0x7d00_0000_0000L;
  private static final long WINDOW = 1L << 40;
  private static final long FIRST = 0x10_0000_0000L;

  /** Room between allocations, where an access out of bounds hits nothing. */
  private static final long GAP = 1 << 16;

  private final ConcurrentSkipListMap<Long, Allocation> allocations = new ConcurrentSkipListMap<>();

  /** No two allocations of a process have the same address: kernels remember where they looked last. */
  private static final AtomicLong NEXT = new AtomicLong(FIRST);

  private long used;

  /** The window of a generic address, or 0 for global memory. */
  static long window(long address) {
    long window = address & -WINDOW;
    return window == SHARED_WINDOW || window == LOCAL_WINDOW || window == PARAM_WINDOW ? window : 0;
  }

  synchronized Allocation allocate(long bytes, String label) {
    long room = (bytes + GAP + 511) & -512;
    Allocation allocation = new Allocation(NEXT.getAndAdd(room), bytes, label);
    allocations.put(allocation.base, allocation);
    used += bytes;
    return allocation;
  }

  synchronized void free(long address) {
    Allocation allocation = allocations.get(address);
    if (allocation == null) {
      throw new PtxException("nothing was allocated at " + Warp.hex(address));
    }
    if (!allocation.live()) {
      throw new PtxException(allocation + " was freed already");
    }
    used -= allocation.bytes;
    allocation.free();
  }

  synchronized long used() {
    return used;
  }

  /** The allocations that have not been freed. */
  List<Allocation> live() {
    return allocations.values().stream().filter(Allocation::live).toList();
  }

  /** The allocation that holds all of a range, or null. */
  @Nullable
  Allocation find(long address, long bytes) {
    Map.Entry<Long, Allocation> entry = allocations.floorEntry(address);
    if (entry == null) {
      return null;
    }
    Allocation allocation = entry.getValue();
    return address - allocation.base + bytes <= allocation.limit ? allocation : null;
  }

  /** As {@link #find}, for a thread's access; fails with what it missed. */
  Allocation find(Warp w, int lane, long address, long bytes, String verb) {
    Allocation allocation = find(address, bytes);
    if (allocation == null) {
      throw w.illegal(lane, verb + " " + bytes + " bytes at " + Warp.hex(address) + ", " + missed(address));
    }
    return allocation;
  }

  /** Where an address lies that belongs to no allocation. */
  String missed(long address) {
    Map.Entry<Long, Allocation> entry = allocations.floorEntry(address);
    Map.Entry<Long, Allocation> next = allocations.higherEntry(address);
    long past = GAP;
    if (entry != null) {
      Allocation before = entry.getValue();
      past = address - before.base - before.bytes;
      if (past < 0) {
        String where = "at offset " + (address - before.base) + " of " + before;
        return before.live() ? where + " and beyond its end" : where + ", which was freed";
      }
    }
    if (next != null && next.getKey() - address < past) {
      return "out of bounds: " + (next.getKey() - address) + " bytes before " + next.getValue();
    }
    return entry != null && past < GAP
        ? "out of bounds: " + past + " bytes past the end of " + entry.getValue()
        : "which is in no allocation";
  }

  /** A range for the host's copies; fails as a driver would. */
  Allocation range(long address, long bytes, String what) {
    Allocation allocation = find(address, bytes);
    if (allocation == null) {
      throw new PtxException(what + " " + bytes + " bytes at " + Warp.hex(address) + ", " + missed(address));
    }
    return allocation;
  }

  void copyIn(long to, MemorySegment from) {
    long bytes = from.byteSize();
    Allocation allocation = range(to, bytes, "copies to the device");
    MemorySegment target = MemorySegment.ofArray(allocation.words);
    MemorySegment.copy(from, ValueLayout.JAVA_BYTE, 0, target, ValueLayout.JAVA_BYTE, to - allocation.base, bytes);
    allocation.written(to - allocation.base, bytes);
  }

  void copyOut(MemorySegment to, long from) {
    long bytes = to.byteSize();
    Allocation allocation = range(from, bytes, "copies to the host");
    MemorySegment source = MemorySegment.ofArray(allocation.words);
    MemorySegment.copy(source, ValueLayout.JAVA_BYTE, from - allocation.base, to, ValueLayout.JAVA_BYTE, 0, bytes);
  }

  void copy(long to, long from, long bytes) {
    Allocation source = range(from, bytes, "copies from");
    Allocation target = range(to, bytes, "copies to");
    long at = from - source.base;
    long into = to - target.base;
    MemorySegment.copy(MemorySegment.ofArray(source.words), at, MemorySegment.ofArray(target.words), into, bytes);
    byte[] known = source.valid;
    if (known == null) {
      target.written(into, bytes);
      return;
    }
    for (long i = 0; i < bytes; i++) {
      if (Words.valid(known, at + i, 1)) {
        target.written(into + i, 1);
      }
    }
  }

  void fill(long address, byte value, long bytes) {
    Allocation allocation = range(address, bytes, "fills");
    long from = address - allocation.base;
    MemorySegment.ofArray(allocation.words).asSlice(from, bytes).fill(value);
    allocation.written(from, bytes);
  }
}
