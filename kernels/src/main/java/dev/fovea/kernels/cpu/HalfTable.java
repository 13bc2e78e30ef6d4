package dev.fovea.kernels.cpu;

import static dev.fovea.kernels.cpu.simd.Memory.ALL;
import static dev.fovea.kernels.cpu.simd.Memory.known;
import static dev.fovea.kernels.cpu.simd.Memory.offset;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_LONG_UNALIGNED;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.fovea.kernels.Activation;
import dev.fovea.kernels.cpu.simd.Simd;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Activations of BF16 and their slopes: there are 65,536 such numbers, so results are looked up, with the bits that the
 * loops on floats give. A table is made by those loops when it is first asked for; what common numbers need of it fits
 * a first-level cache. Tables lie in native memory, which is read without a check of the index.
 */
final class HalfTable {
  /** The numbers of BF16. Fewer results are not worth a table. */
  static final int SIZE = 1 << 16;

  private final Simd simd;
  private final Map<Activation, MemorySegment> values = new ConcurrentHashMap<>();
  private final Map<Activation, MemorySegment> slopes = new ConcurrentHashMap<>();

  HalfTable(Simd simd) {
    this.simd = simd;
  }

  /** Where f of every BF16 number is, rounded to BF16. */
  long values(Activation f) {
    MemorySegment table = values.get(f);
    return (table != null ? table : values.computeIfAbsent(f, this::makeValues)).address();
  }

  /** Where f' of every BF16 number is, in F32. */
  long slopes(Activation f) {
    MemorySegment table = slopes.get(f);
    return (table != null ? table : slopes.computeIfAbsent(f, this::makeSlopes)).address();
  }

  /** BF16 at x to BF16 at y, which may be x. */
  static void look(long values, long x, long y, int count) {
    long table = known(values);
    long from = known(x);
    long to = known(y);
    int fours = count & -4;
    for (int i = 0; i < fours; i += 4) { // one store in place of four
      long at = from + offset(i, 2);
      long low = value(table, at) | value(table, at + 2) << 16;
      long high = value(table, at + 4) | value(table, at + 6) << 16;
      ALL.set(JAVA_LONG_UNALIGNED, to + offset(i, 2), low | high << 32);
    }
    for (int i = fours; i < count; i++) {
      ALL.set(JAVA_SHORT_UNALIGNED, to + offset(i, 2), (short) value(table, from + offset(i, 2)));
    }
  }

  /** The slopes at BF16 numbers x. */
  static void look(long slopes, long x, float[] y, int count) {
    long table = known(slopes);
    long from = known(x);
    for (int i = 0; i < count; i++) {
      y[i] =
          ALL.get(JAVA_FLOAT_UNALIGNED, table + offset(ALL.get(JAVA_SHORT_UNALIGNED, from + offset(i, 2)) & 0xffff, 4));
    }
  }

  private static long value(long table, long x) {
    return ALL.get(JAVA_SHORT_UNALIGNED, table + offset(ALL.get(JAVA_SHORT_UNALIGNED, x) & 0xffff, 2)) & 0xffffL;
  }

  private MemorySegment makeValues(Activation f) {
    float[] x = numbers();
    simd.maths().activation(f, x, 0, x, 0, SIZE);
    MemorySegment table = Arena.ofAuto().allocate(JAVA_SHORT, SIZE);
    simd.convert().storeBf16(x, 0, table.address(), SIZE);
    return table;
  }

  private MemorySegment makeSlopes(Activation f) {
    float[] x = numbers();
    float[] ones = new float[SIZE];
    Arrays.fill(ones, 1f);
    simd.maths().activationGradient(f, x, 0, ones, 0, x, 0, SIZE);
    MemorySegment table = Arena.ofAuto().allocate(JAVA_FLOAT, SIZE);
    simd.convert().storeF32(x, 0, table.address(), SIZE);
    return table;
  }

  private static float[] numbers() {
    float[] x = new float[SIZE];
    for (int i = 0; i < SIZE; i++) {
      x[i] = Float.intBitsToFloat(i << 16);
    }
    return x;
  }
}
