package dev.fovea.kernels.cpu.simd;

import java.lang.foreign.MemorySegment;

/** All of native memory as one segment: a constant, so that the compiler folds its bounds and lifetime checks away. */
public final class Memory {
  public static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  private Memory() {}

  /**
   * The address, in a form that {@link #offset} is added to. All addresses are below 2^62, but only from this does the
   * compiler know it.
   */
  public static long known(long address) {
    return address & (1L << 62) - 1;
  }

  /**
   * Bytes from the first element to the i-th, of so many bytes each. A {@link #known} address plus such an offset is
   * one that the compiler sees to be in bounds: a loop is left without checks and what prepares them. {@code i >= 0}.
   */
  public static long offset(int i, int bytes) {
    return (long) bytes * (i & Integer.MAX_VALUE);
  }
}
