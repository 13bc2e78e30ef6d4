package dev.fovea.kernels.ptx;

import dev.fovea.kernels.cuda.TensorMap;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import org.jspecify.annotations.Nullable;

/**
 * A tensor map as this machine encodes it, which is not how a GPU does: a sign, the address, 32-bit words of element
 * bytes, rank, swizzle and sizes less one, 64-bit strides, boxes less one in a byte each, and a sum of all of that.
 *
 * @param element bytes of an element
 * @param swizzle width in bytes, 0 for none
 */
record TensorBox(int element, int swizzle, long address, long[] sizes, long[] strides, int[] box) {
  private static final long SIGN = 0x70616d5f61657666L;
  private static final int MOST = 5;
  private static final int WORDS = TensorMap.BYTES / 4;

  /** Writes a map. */
  static void encode(TensorMap map, MemorySegment to) {
    int[] words = new int[WORDS];
    put(words, 0, SIGN);
    put(words, 2, map.address());
    int rank = map.dimensions().size();
    words[4] = map.dtype().bytes() | rank << 8 | map.swizzle().bytes() << 16;
    for (int i = 0; i < rank; i++) {
      TensorMap.Dimension dimension = map.dimensions().get(i);
      words[5 + i] = (int) (dimension.size() - 1);
      put(words, 10 + 2 * i, dimension.stride());
      words[20 + i] = dimension.box();
    }
    words[WORDS - 1] = sum(words);
    MemorySegment.copy(words, 0, to, ValueLayout.JAVA_INT, 0, WORDS);
  }

  private static void put(int[] words, int at, long value) {
    words[at] = (int) value;
    words[at + 1] = (int) (value >>> 32);
  }

  private static int sum(int[] words) {
    int sum = 0;
    for (int i = 0; i < WORDS - 1; i++) {
      sum = 31 * sum + words[i];
    }
    return sum;
  }

  /** Reads a map that begins at this word; null if none is there. */
  static @Nullable TensorBox decode(int[] from, int at) {
    if (at + WORDS > from.length) {
      return null;
    }
    int[] words = new int[WORDS];
    System.arraycopy(from, at, words, 0, WORDS);
    if (Words.get(words, 0, 8) != SIGN || words[WORDS - 1] != sum(words)) {
      return null;
    }
    int rank = words[4] >> 8 & 0xff;
    long[] sizes = new long[rank];
    long[] strides = new long[rank];
    int[] box = new int[rank];
    for (int i = 0; i < rank; i++) {
      sizes[i] = (words[5 + i] & 0xffff_ffffL) + 1;
      strides[i] = Words.get(words, 40 + 8L * i, 8);
      box[i] = words[20 + i];
    }
    return new TensorBox(words[4] & 0xff, words[4] >> 16, Words.get(words, 8, 8), sizes, strides, box);
  }

  int rank() {
    return sizes.length;
  }

  /** Bytes of a row of the box. */
  int rowBytes() {
    return box[0] * element;
  }

  /** Rows of the box. */
  int rows() {
    int rows = 1;
    for (int i = 1; i < box.length; i++) {
      rows *= box[i];
    }
    return rows;
  }

  int bytes() {
    return rows() * rowBytes();
  }

  /** Where in shared memory a 16-byte chunk goes that would lie at this address without swizzle. */
  int swizzled(int address) {
    return swizzled(address, swizzle, 0);
  }

  /** The same for a pattern of this width whose rows are counted from so many on. */
  static int swizzled(int address, int width, int first) {
    int chunks = (width >> 4) - 1;
    return width == 0 ? address : address ^ ((address >> 7) - first & chunks) << 4;
  }
}
