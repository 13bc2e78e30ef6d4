package dev.fovea.kernels.cpu.simd;

import java.lang.foreign.MemorySegment;

/** All of native memory as one segment: a constant, so that the compiler folds its bounds and lifetime checks away. */
public final class Memory {
  public static final MemorySegment ALL = MemorySegment.NULL.reinterpret(Long.MAX_VALUE);

  private Memory() {}
}
