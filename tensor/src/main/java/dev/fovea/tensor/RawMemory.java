package dev.fovea.tensor;

import java.lang.foreign.MemorySegment;

/** What a device must be able to do with its memory; everything else is built on it. Nothing is checked here. */
interface RawMemory {
  /** New memory, 64-byte aligned, all zero if asked for and otherwise undefined; 0 if there is none. */
  long take(long bytes, boolean zeroed);

  /** Gives back what {@link #take} returned. */
  void give(long address);

  /** Gives back to the system what was {@linkplain #give given} and is kept for the next that is taken. */
  default void trim() {}

  /** Copies from the device to the host. */
  void read(long address, MemorySegment to);

  /** Copies from the host to the device. */
  void write(MemorySegment from, long address);

  /** Copies within the device. */
  void copy(long from, long to, long bytes);

  /** Sets every byte. */
  void fill(long address, long bytes, byte value);
}
