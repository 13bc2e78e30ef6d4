package dev.fovea.kernels.cpu.simd;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.math.BigDecimal;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Both forms of {@link Convert}, against conversions written another way. */
class ConvertTest {
  private static final int[] COUNTS = {0, 1, 3, 4, 7, 8, 15, 16, 17, 31, 32, 33, 63, 100, 197};
  private static final int GUARD = 64;

  static Stream<Convert> forms() {
    return Stream.of(Simd.best().convert(), Simd.scalar().convert());
  }

  /** Values around every kind of rounding: random bits, ties, neighbours of ties, specials. */
  private static float[] awkward(int count, long seed) {
    SplittableRandom random = new SplittableRandom(seed);
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      int bits = random.nextInt();
      values[i] = Float.intBitsToFloat(
          switch (i % 8) {
            case 0 -> bits & 0xffff0000 | 0x8000;
            case 1 -> bits & 0xffff0000 | 0x7fff;
            case 2 -> bits & 0xffff0000 | 0x8001;
            case 3 -> bits & 0x807fffff;
            case 4 -> bits & 0x80000000 | 0x7f800000 | random.nextInt(4) * 0x3fff;
            case 5 -> bits & 0x80000000 | 0x7f7f0000 + random.nextInt(0x10000);
            default -> bits;
          });
    }
    return values;
  }

  /** The BF16 nearest to a number, found by comparing distances. */
  private static short nearestBf16(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      return (short) (bits >>> 16 | 0x40);
    }
    if (Float.isInfinite(value)) {
      return (short) (bits >>> 16);
    }
    int down = bits >>> 16;
    BigDecimal exact = new BigDecimal(value).abs();
    BigDecimal below = new BigDecimal(Float.intBitsToFloat(down << 16)).abs();
    // past the largest finite number lies what would be the next one
    BigDecimal above = (down & 0x7fff) == 0x7f7f
        ? new BigDecimal(2).pow(128)
        : new BigDecimal(Float.intBitsToFloat(down + 1 << 16)).abs();
    int order = exact.subtract(below).compareTo(above.subtract(exact));
    return (short) (order > 0 || order == 0 && (down & 1) == 1 ? down + 1 : down);
  }

  private static MemorySegment guarded(Arena arena, long bytes) {
    MemorySegment all = arena.allocate(bytes + 2 * GUARD, 64);
    all.fill((byte) 0xA5);
    return all;
  }

  private static void untouched(MemorySegment all, long bytes) {
    for (long i = 0; i < all.byteSize(); i++) {
      if (i < GUARD || i >= GUARD + bytes) {
        assertEquals((byte) 0xA5, all.get(JAVA_BYTE, i), "guard at " + (i - GUARD));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("forms")
  void multipliesBf16(Convert convert) {
    for (int count : COUNTS) {
      float[] by = awkward(count + 3, 5);
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment x = arena.allocate(JAVA_SHORT, count + GUARD);
        short[] expected = new short[count + GUARD];
        for (int i = 0; i < count; i++) {
          float value = by[count - i];
          x.setAtIndex(JAVA_SHORT, i, nearestBf16(value));
          expected[i] = nearestBf16(by[i + 3] * Float.intBitsToFloat(nearestBf16(value) << 16));
        }
        convert.multiplyBf16(by, 3, x.address(), x.address(), count);
        for (int i = 0; i < expected.length; i++) {
          float got = Float.intBitsToFloat(x.getAtIndex(JAVA_SHORT, i) << 16);
          assertEquals(Float.intBitsToFloat(expected[i] << 16), got, count + " at " + i);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("forms")
  void storesBf16ToNearestEven(Convert convert) {
    try (Arena arena = Arena.ofConfined()) {
      for (int count : COUNTS) {
        float[] values = awkward(count + 3, count);
        MemorySegment all = guarded(arena, 2L * count);
        convert.storeBf16(values, 3, all.address() + GUARD, count);
        untouched(all, 2L * count);
        for (int i = 0; i < count; i++) {
          short expected = nearestBf16(values[i + 3]);
          short got = all.get(JAVA_SHORT, GUARD + 2L * i);
          assertEquals(expected, got, "of " + values[i + 3]);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("forms")
  void loadsEveryBf16(Convert convert) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment all = arena.allocate(JAVA_SHORT, 1 << 16);
      for (int i = 0; i < 1 << 16; i++) {
        all.setAtIndex(JAVA_SHORT, i, (short) i);
      }
      float[] got = new float[1 << 16];
      convert.loadBf16(all.address(), got, 0, got.length);
      for (int i = 0; i < 1 << 16; i++) {
        assertEquals(i << 16, Float.floatToRawIntBits(got[i]));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("forms")
  void loadsAndStoresEveryF16(Convert convert) {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment all = arena.allocate(JAVA_SHORT, 1 << 16);
      MemorySegment back = arena.allocate(JAVA_SHORT, 1 << 16);
      for (int i = 0; i < 1 << 16; i++) {
        all.setAtIndex(JAVA_SHORT, i, (short) i);
      }
      float[] got = new float[1 << 16];
      convert.loadF16(all.address(), got, 0, got.length);
      convert.storeF16(got, 0, back.address(), got.length);
      for (int i = 0; i < 1 << 16; i++) {
        int exponent = i >> 10 & 31;
        double fraction = (i & 1023) / 1024.0;
        double magnitude = exponent == 31
            ? (i & 1023) == 0 ? Double.POSITIVE_INFINITY : Double.NaN
            : exponent == 0 ? fraction * 0x1p-14 : (1 + fraction) * Math.scalb(1.0, exponent - 15);
        assertEquals((i & 0x8000) == 0 ? magnitude : -magnitude, got[i], 0.0);
        if (!Double.isNaN(magnitude)) {
          assertEquals((short) i, back.getAtIndex(JAVA_SHORT, i));
        } else {
          assertTrue(Float.isNaN(Float.float16ToFloat(back.getAtIndex(JAVA_SHORT, i))));
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("forms")
  void storesF16ToNearestEven(Convert convert) {
    float[] values = {
      65504,
      65519.996f,
      65520,
      -65520,
      1e30f,
      0x1p-25f,
      0x1.000002p-25f,
      0x1p-24f,
      -0f,
      1 + 0x1p-11f,
      1 + 0x3p-11f,
      Float.NaN,
      Float.NEGATIVE_INFINITY,
      2049,
      2051,
      0x1.ffbp-15f,
      0x1.ffcp-15f
    };
    float[] expected = {
      65504,
      65504,
      Float.POSITIVE_INFINITY,
      Float.NEGATIVE_INFINITY,
      Float.POSITIVE_INFINITY,
      0,
      0x1p-24f,
      0x1p-24f,
      -0f,
      1,
      1 + 0x4p-11f,
      Float.NaN,
      Float.NEGATIVE_INFINITY,
      2048,
      2052,
      0x1.ff8p-15f,
      0x1p-14f
    };
    float[] got = new float[values.length];
    try (Arena arena = Arena.ofConfined()) {
      long address = arena.allocate(JAVA_SHORT, values.length).address();
      convert.storeF16(values, 0, address, values.length);
      convert.loadF16(address, got, 0, values.length);
    }
    for (int i = 0; i < values.length; i++) {
      assertEquals(expected[i], got[i], "of " + values[i]);
    }
  }

  @ParameterizedTest
  @MethodSource("forms")
  void loadsIntegersToNearest(Convert convert) {
    long[] longs = {
      0,
      -1,
      1L << 24,
      (1L << 24) + 1,
      (1L << 24) + 3,
      Long.MAX_VALUE,
      Long.MIN_VALUE,
      (1L << 53) + 1,
      0x7fffff4000000001L,
      0x8000008000000001L
    };
    int[] ints = {0, -1, (1 << 24) + 1, (1 << 24) + 3, Integer.MAX_VALUE, Integer.MIN_VALUE, 77, -16777217, 1, 2};
    float[] got = new float[longs.length];
    try (Arena arena = Arena.ofConfined()) {
      convert.loadI64(arena.allocateFrom(JAVA_LONG, longs).address(), got, 0, longs.length);
      for (int i = 0; i < longs.length; i++) {
        assertEquals(new BigDecimal(longs[i]).floatValue(), got[i], "of " + longs[i]);
      }
      convert.loadI32(arena.allocateFrom(JAVA_INT, ints).address(), got, 0, ints.length);
      for (int i = 0; i < ints.length; i++) {
        assertEquals(new BigDecimal(ints[i]).floatValue(), got[i], "of " + ints[i]);
      }
      byte[] bytes = {0, 1, 127, -128, -1};
      convert.loadU8(arena.allocateFrom(JAVA_BYTE, bytes).address(), got, 2, bytes.length);
      for (int i = 0; i < bytes.length; i++) {
        assertEquals(Byte.toUnsignedInt(bytes[i]), got[i + 2]);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("forms")
  void loadsAndStoresF32AsItIs(Convert convert) {
    try (Arena arena = Arena.ofConfined()) {
      for (int count : COUNTS) {
        float[] values = awkward(count + 2, 31L * count);
        MemorySegment all = guarded(arena, 4L * count);
        convert.storeF32(values, 2, all.address() + GUARD, count);
        untouched(all, 4L * count);
        float[] back = new float[count + 1];
        convert.loadF32(all.address() + GUARD, back, 1, count);
        for (int i = 0; i < count; i++) {
          assertEquals(Float.floatToRawIntBits(values[i + 2]), all.get(JAVA_INT, GUARD + 4L * i));
          assertEquals(Float.floatToRawIntBits(values[i + 2]), Float.floatToRawIntBits(back[i + 1]));
        }
        assertEquals(0, back[0]);
        assertEquals(4, JAVA_FLOAT.byteSize());
      }
    }
  }

  /** A word of k rounds up exactly the values whose cut-off part is at least 2^16 - k. */
  @ParameterizedTest
  @MethodSource("forms")
  void narrowsBf16StochasticallyByTheWord(Convert convert) {
    try (Arena arena = Arena.ofConfined()) {
      for (int count : COUNTS) {
        float[] values = awkward(count, 7L * count);
        int[] words = new SplittableRandom(count).ints(count).toArray();
        MemorySegment from = arena.allocateFrom(JAVA_FLOAT, values);
        MemorySegment all = guarded(arena, 2L * count);
        convert.narrowBf16Stochastic(from.address(), words, all.address() + GUARD, count);
        untouched(all, 2L * count);
        for (int i = 0; i < count; i++) {
          float value = values[i];
          int bits = Float.floatToRawIntBits(value);
          int expected = bits >>> 16;
          if (Float.isNaN(value)) {
            expected |= 0x40;
          } else if (Math.abs(value) < 0x1.fep127f && (bits & 0xffff) >= 0x10000 - (words[i] & 0xffff)) {
            expected++;
          }
          assertEquals((short) expected, all.get(JAVA_SHORT, GUARD + 2L * i), "of " + value);
        }
      }
    }
  }
}
