package dev.fovea.kernels.cpu;

import static dev.fovea.kernels.cpu.simd.Memory.ALL;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.Span;

/** Integers in native memory, and the check that they may be used as indices. */
final class Indices {
  private Indices() {}

  /** Element {@code i} of an I32 span. */
  static int i32(Span span, long i) {
    return ALL.get(JAVA_INT, span.address() + 4 * i);
  }

  /** Element {@code i} of an I32 or I64 span. */
  static long integer(Span span, long i) {
    return span.dtype() == DType.I32 ? i32(span, i) : ALL.get(JAVA_LONG, span.address() + 8 * i);
  }

  /**
   * All of the first {@code count} lie in {@code [low, high]}.
   *
   * @throws IllegalArgumentException naming the first that does not
   */
  static void check(String name, Span span, long count, long low, long high) {
    for (long i = 0; i < count; i++) {
      long value = integer(span, i);
      if (value < low || value > high) {
        throw new IllegalArgumentException(
            "%s: got %d in row %d, expected %d to %d".formatted(name, value, i, low, high));
      }
    }
  }
}
