package dev.fovea.bench;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.Span;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;

/** Operands of benchmarks, in native memory that lives as long as the fork. */
final class Matrices {
  private static final Arena ARENA = Arena.ofShared();

  private Matrices() {}

  /** F32 numbers in [-1, 1), the same for the same seed. */
  static Span random(long count, long seed) {
    Span span = zeros(count);
    MemorySegment segment = MemorySegment.ofAddress(span.address()).reinterpret(span.bytes());
    var random = new SplittableRandom(seed);
    for (long i = 0; i < count; i++) {
      segment.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) random.nextDouble(-1, 1));
    }
    return span;
  }

  /** F32 zeros. */
  static Span zeros(long count) {
    return Span.of(ARENA.allocate(count * 4, 64), DType.F32);
  }

  /** The largest difference between two spans. */
  static double difference(Span a, Span b) {
    MemorySegment x = MemorySegment.ofAddress(a.address()).reinterpret(a.bytes());
    MemorySegment y = MemorySegment.ofAddress(b.address()).reinterpret(b.bytes());
    double most = 0;
    for (long i = 0; i < a.count(); i++) {
      most =
          Math.max(most, Math.abs(x.getAtIndex(ValueLayout.JAVA_FLOAT, i) - y.getAtIndex(ValueLayout.JAVA_FLOAT, i)));
    }
    return most;
  }
}
