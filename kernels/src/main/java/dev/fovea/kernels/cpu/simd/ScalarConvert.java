package dev.fovea.kernels.cpu.simd;

import static dev.fovea.kernels.cpu.simd.Memory.ALL;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** {@link Convert} in plain Java. */
final class ScalarConvert implements Convert {
  @Override
  public void loadF32(long address, float[] to, int at, int count) {
    MemorySegment.copy(ALL, ValueLayout.JAVA_FLOAT, address, to, at, count);
  }

  @Override
  public void loadBf16(long address, float[] to, int at, int count) {
    for (int i = 0; i < count; i++) {
      to[at + i] = Float.intBitsToFloat(ALL.get(ValueLayout.JAVA_SHORT, address + 2L * i) << 16);
    }
  }

  @Override
  public void storeF32(float[] from, int at, long address, int count) {
    MemorySegment.copy(from, at, ALL, ValueLayout.JAVA_FLOAT, address, count);
  }

  @Override
  public void storeBf16(float[] from, int at, long address, int count) {
    for (int i = 0; i < count; i++) {
      ALL.set(ValueLayout.JAVA_SHORT, address + 2L * i, bf16(from[at + i]));
    }
  }

  /** To nearest, ties to even; a NaN keeps its sign and becomes quiet. */
  static short bf16(float value) {
    int bits = Float.floatToRawIntBits(value);
    if ((bits & 0x7fffffff) > 0x7f800000) {
      return (short) (bits >>> 16 | 0x40);
    }
    return (short) (bits + 0x7fff + (bits >>> 16 & 1) >>> 16);
  }
}
