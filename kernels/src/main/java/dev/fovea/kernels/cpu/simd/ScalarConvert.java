package dev.fovea.kernels.cpu.simd;

import static dev.fovea.kernels.cpu.simd.Memory.ALL;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.MemorySegment;

/** {@link Convert} in plain Java. */
class ScalarConvert implements Convert {
  @Override
  public void loadF32(long address, float[] to, int at, int count) {
    MemorySegment.copy(ALL, JAVA_FLOAT, address, to, at, count);
  }

  @Override
  public void loadBf16(long address, float[] to, int at, int count) {
    for (int i = 0; i < count; i++) {
      to[at + i] = Float.intBitsToFloat(ALL.get(JAVA_SHORT, address + 2L * i) << 16);
    }
  }

  @Override
  public void storeF32(float[] from, int at, long address, int count) {
    MemorySegment.copy(from, at, ALL, JAVA_FLOAT, address, count);
  }

  @Override
  public void storeBf16(float[] from, int at, long address, int count) {
    for (int i = 0; i < count; i++) {
      ALL.set(JAVA_SHORT, address + 2L * i, bf16(from[at + i]));
    }
  }

  @Override
  public void multiplyBf16(float[] by, int at, long from, long to, int count) {
    for (int i = 0; i < count; i++) {
      float value = Float.intBitsToFloat(ALL.get(JAVA_SHORT, from + 2L * i) << 16);
      ALL.set(JAVA_SHORT, to + 2L * i, bf16(by[at + i] * value));
    }
  }

  @Override
  public void loadF16(long address, float[] to, int at, int count) {
    for (int i = 0; i < count; i++) {
      to[at + i] = Float.float16ToFloat(ALL.get(JAVA_SHORT, address + 2L * i));
    }
  }

  @Override
  public void storeF16(float[] from, int at, long address, int count) {
    for (int i = 0; i < count; i++) {
      ALL.set(JAVA_SHORT, address + 2L * i, Float.floatToFloat16(from[at + i]));
    }
  }

  @Override
  public void loadU8(long address, float[] to, int at, int count) {
    for (int i = 0; i < count; i++) {
      to[at + i] = ALL.get(JAVA_BYTE, address + i) & 0xff;
    }
  }

  @Override
  public void loadI32(long address, float[] to, int at, int count) {
    for (int i = 0; i < count; i++) {
      to[at + i] = ALL.get(JAVA_INT, address + 4L * i);
    }
  }

  @Override
  public void loadI64(long address, float[] to, int at, int count) {
    for (int i = 0; i < count; i++) {
      to[at + i] = ALL.get(JAVA_LONG, address + 8L * i);
    }
  }

  @Override
  public void widenBf16(long from, long to, int count) {
    for (int i = 0; i < count; i++) {
      ALL.set(JAVA_INT, to + 4L * i, ALL.get(JAVA_SHORT, from + 2L * i) << 16);
    }
  }

  @Override
  public void narrowBf16(long from, long to, int count) {
    for (int i = 0; i < count; i++) {
      ALL.set(JAVA_SHORT, to + 2L * i, bf16(ALL.get(JAVA_FLOAT, from + 4L * i)));
    }
  }

  @Override
  public void narrowBf16Stochastic(long from, int[] words, long to, int count) {
    for (int i = 0; i < count; i++) {
      ALL.set(JAVA_SHORT, to + 2L * i, bf16(ALL.get(JAVA_FLOAT, from + 4L * i), words[i]));
    }
  }

  @Override
  public void roundBf16(float[] x, int at, int count) {
    for (int i = at; i < at + count; i++) {
      x[i] = Float.intBitsToFloat(bf16(x[i]) << 16);
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

  /** Away from zero if the bits cut off and the word's lower half carry over, else towards zero. */
  static short bf16(float value, int word) {
    int bits = Float.floatToRawIntBits(value);
    int magnitude = bits & 0x7fffffff;
    if (magnitude >= 0x7f7f0000) { // the largest finite BF16 and above, where a carry would make an infinity
      return (short) (bits >>> 16 | (magnitude > 0x7f800000 ? 0x40 : 0));
    }
    return (short) (bits + (word & 0xffff) >>> 16);
  }
}
