package dev.fovea.kernels.cpu;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Arrays that a worker keeps between blocks and kernels. A slot grows to the largest length asked for and stays;
 * contents are whatever the last user left. A kernel that finds one too small allocates, so steady state does not.
 */
final class Scratch {
  private static final int SLOTS = 16;

  private final float[][] floats = new float[SLOTS][0];
  private final int[][] ints = new int[SLOTS][0];
  private final MemorySegment[] memory = new MemorySegment[SLOTS];

  Scratch() {
    Arrays.fill(memory, MemorySegment.NULL);
  }

  /** At least {@code length} floats, the same array for the same slot until it must grow. */
  float[] floats(int slot, int length) {
    float[] array = floats[slot];
    return array.length >= length ? array : (floats[slot] = new float[grown(length)]);
  }

  /** As {@link #floats}, with the first {@code length} set to zero. */
  float[] zeros(int slot, int length) {
    float[] array = floats(slot, length);
    Arrays.fill(array, 0, length, 0f);
    return array;
  }

  /** At least {@code length} ints; their slots are not those of {@link #floats}. */
  int[] ints(int slot, int length) {
    int[] array = ints[slot];
    return array.length >= length ? array : (ints[slot] = new int[grown(length)]);
  }

  /** The address of at least so many bytes outside of the heap, 64-byte aligned. */
  long memory(int slot, long bytes) {
    MemorySegment segment = memory[slot];
    if (segment.byteSize() < bytes) {
      segment = Arena.ofAuto().allocate(bytes, 64);
      memory[slot] = segment;
    }
    return segment.address();
  }

  private static int grown(int length) {
    return Math.max(1024, (int) Math.min(Integer.MAX_VALUE - 8L, length + (length >> 2) + 15L & ~15L));
  }
}
