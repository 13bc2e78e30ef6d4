package dev.fovea.kernels.cpu;

import static dev.fovea.kernels.cpu.simd.Memory.ALL;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.Sums;
import java.lang.foreign.MemorySegment;
import org.jspecify.annotations.Nullable;

/** What launches do with whole spans. */
final class Spans {
  /** Stands for an operand that was not given: no elements. */
  static final Span NONE = new Span(0, 0, DType.F32);

  /** Stands for sums that nobody wants. */
  static final Sums NO_SUMS = Sums.into(NONE);

  private Spans() {}

  static Span orNone(@Nullable Span span) {
    return span == null ? NONE : span;
  }

  /** Whether all are F32, as {@link dev.fovea.kernels.cpu.simd.Streams} need them; others are staged. */
  static boolean f32(Span a, Span b, Span c) {
    return a.dtype() == DType.F32 && b.dtype() == DType.F32 && c.dtype() == DType.F32;
  }

  /** Whether all are of one type, F32 or BF16: {@link dev.fovea.kernels.cpu.simd.Streams} need that. */
  static boolean same(Span a, Span b, Span c) {
    return a.dtype() == b.dtype() && b.dtype() == c.dtype();
  }

  /** Copies elements between spans of one dtype as they are. */
  static void copy(Span from, long first, Span to, long toFirst, long count) {
    int size = from.dtype().bytes();
    MemorySegment.copy(ALL, from.address() + size * first, ALL, to.address() + size * toFirst, size * count);
  }
}
