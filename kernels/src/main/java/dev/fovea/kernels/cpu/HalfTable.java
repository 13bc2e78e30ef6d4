package dev.fovea.kernels.cpu;

import static dev.fovea.kernels.cpu.simd.Memory.ALL;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT_UNALIGNED;

import dev.fovea.kernels.Activation;
import dev.fovea.kernels.cpu.simd.Simd;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Activations from BF16 to BF16: there are 65,536 such numbers, so results are looked up, with the bits that the loops
 * on floats give. A table is made by those loops when it is first asked for; what common numbers need of it fits a
 * first-level cache.
 */
final class HalfTable {
  /** The numbers of BF16. Fewer results are not worth a table. */
  static final int SIZE = 1 << 16;

  private final Simd simd;
  private final Map<Activation, short[]> tables = new ConcurrentHashMap<>();

  HalfTable(Simd simd) {
    this.simd = simd;
  }

  /** f of every BF16 number, rounded to BF16. */
  short[] of(Activation f) {
    short[] table = tables.get(f);
    if (table == null) {
      table = make(f);
      tables.put(f, table);
    }
    return table;
  }

  /** BF16 at x to BF16 at y, which may be x. */
  static void look(short[] table, long x, long y, int count) {
    for (long i = 0, end = 2L * count; i < end; i += 2) {
      ALL.set(JAVA_SHORT_UNALIGNED, y + i, table[ALL.get(JAVA_SHORT_UNALIGNED, x + i) & 0xffff]);
    }
  }

  private short[] make(Activation f) {
    float[] x = new float[SIZE];
    for (int i = 0; i < SIZE; i++) {
      x[i] = Float.intBitsToFloat(i << 16);
    }
    simd.maths().activation(f, x, 0, x, 0, SIZE);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment rounded = arena.allocate(JAVA_SHORT, SIZE);
      simd.convert().storeBf16(x, 0, rounded.address(), SIZE);
      return rounded.toArray(JAVA_SHORT);
    }
  }
}
