package dev.fovea.kernels.ptx;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;

/** Bytes kept in words: how they are read and written. Aligned accesses only. */
final class Words {
  private static final VarHandle WORD = MethodHandles.arrayElementVarHandle(int[].class);
  private static final VarHandle BYTE = MethodHandles.arrayElementVarHandle(byte[].class);

  private Words() {}

  /** The value of so many bytes, zero-extended. */
  static long get(int[] words, long offset, int bytes) {
    int word = words[(int) (offset >>> 2)];
    return switch (bytes) {
      case 4 -> word & 0xffff_ffffL;
      case 8 -> word & 0xffff_ffffL | (long) words[(int) (offset >>> 2) + 1] << 32;
      case 2 -> word >>> (int) (offset & 2) * 8 & 0xffff;
      default -> word >>> (int) (offset & 3) * 8 & 0xff;
    };
  }

  static void put(int[] words, long offset, int bytes, long value) {
    int at = (int) (offset >>> 2);
    switch (bytes) {
      case 4 -> words[at] = (int) value;
      case 8 -> {
        words[at] = (int) value;
        words[at + 1] = (int) (value >>> 32);
      }
      default -> words[at] = merged(words[at], offset, bytes, value);
    }
  }

  /** As {@link #put}; other threads may write the rest of the word meanwhile. */
  static void putShared(int[] words, long offset, int bytes, long value) {
    if (bytes >= 4) {
      put(words, offset, bytes, value);
      return;
    }
    int at = (int) (offset >>> 2);
    int old;
    do {
      old = (int) WORD.getVolatile(words, at);
    } while (!WORD.compareAndSet(words, at, old, merged(old, offset, bytes, value)));
  }

  private static int merged(int word, long offset, int bytes, long value) {
    int shift = (int) (offset & 3) * 8;
    int mask = (bytes == 2 ? 0xffff : 0xff) << shift;
    return word & ~mask | (int) value << shift & mask;
  }

  /** Whether so many bytes have been written: {@code valid} has a bit per byte, a word's four together. */
  static boolean valid(byte[] valid, long offset, int bytes) {
    int at = (int) (offset >>> 2);
    if (bytes < 4) {
      int mask = (1 << bytes) - 1 << (int) (offset & 3);
      return (valid[at] & mask) == mask;
    }
    if (bytes == 4) {
      return valid[at] == 15;
    }
    boolean all = true;
    for (int i = 0; i < bytes; i += 4) {
      all &= valid[at++] == 15;
    }
    return all;
  }

  /** Notes that so many bytes have been written. */
  static void mark(byte[] valid, long offset, int bytes) {
    int at = (int) (offset >>> 2);
    if (bytes < 4) {
      byte bits = (byte) ((1 << bytes) - 1 << (int) (offset & 3));
      if ((valid[at] & bits) != bits) {
        byte unused = (byte) BYTE.getAndBitwiseOr(valid, at, bits);
      }
      return;
    }
    valid[at] = 15;
    for (int i = 4; i < bytes; i += 4) {
      valid[++at] = 15;
    }
  }
}
