package dev.fovea.kernels.ptx;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** One allocation of global memory. Its addresses are never given out again, so that its use after the end is seen. */
final class Allocation {
  final long base;
  final long bytes;
  final String label;
  int[] words;

  /** A bit per byte that was written; null when all were. */
  byte @Nullable [] valid;

  /** Of each word: who wrote it last, as {@link GlobalOrder} has it; null as long as no kernel wrote. */
  int @Nullable [] writers;

  /** The bytes that may be used: none after the end. */
  long limit;

  Allocation(long base, long bytes, String label) {
    if (bytes > 4L * (Integer.MAX_VALUE - 8)) {
      throw new PtxException("the PTX machine has no room for " + bytes + " bytes");
    }
    this.base = base;
    this.bytes = bytes;
    this.label = label;
    int count = (int) (bytes + 3 >>> 2);
    words = new int[count];
    valid = new byte[count];
    limit = bytes;
  }

  /** Ends it. */
  void free() {
    limit = 0;
    words = new int[0];
    valid = null;
    writers = null;
  }

  synchronized int[] madeWriters() {
    int[] made = writers;
    if (made == null) {
      made = new int[words.length];
      writers = made;
    }
    return made;
  }

  int[] writers() {
    int[] made = writers;
    return made == null ? madeWriters() : made;
  }

  boolean live() {
    return limit != 0;
  }

  /** Notes that a range was written by the host or by a copy. */
  void written(long from, long count) {
    byte[] known = valid;
    if (known == null) {
      return;
    }
    if (from == 0 && count == bytes) {
      valid = null;
      return;
    }
    long at = from;
    long end = from + count;
    for (; at < end && (at & 3) != 0; at++) {
      Words.mark(known, at, 1);
    }
    long whole = Math.max(at, end & ~3L);
    Arrays.fill(known, (int) (at >>> 2), (int) (whole >>> 2), (byte) 15);
    for (at = whole; at < end; at++) {
      Words.mark(known, at, 1);
    }
  }

  @Override
  public String toString() {
    return label + " (" + bytes + " bytes at " + Warp.hex(base) + ")";
  }
}
