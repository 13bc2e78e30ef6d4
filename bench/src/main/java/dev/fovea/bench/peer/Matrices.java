package dev.fovea.bench.peer;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.contract.HostCaseMemory;
import dev.fovea.tensor.Device;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.SplittableRandom;

/** Operands of benchmarks, in the memory that tensors have, for as long as the fork lives. */
public final class Matrices {
  private static final Scope KEPT = Scope.unbound(Device.cpu(1));

  private Matrices() {}

  /** F32 numbers in [-1, 1), the same for the same seed. */
  public static Span random(long count, long seed) {
    Span span = zeros(count);
    MemorySegment segment = MemorySegment.ofAddress(span.address()).reinterpret(span.bytes());
    var random = new SplittableRandom(seed);
    for (long i = 0; i < count; i++) {
      segment.setAtIndex(ValueLayout.JAVA_FLOAT, i, (float) random.nextDouble(-1, 1));
    }
    return span;
  }

  /** F32 zeros. */
  public static Span zeros(long count) {
    return zeros(DType.F32, count);
  }

  /** Numbers of this type in [-1, 1), the same for the same seed. */
  public static Span of(DType dtype, long count, long seed) {
    Span span = zeros(dtype, count);
    var random = new SplittableRandom(seed);
    for (long i = 0; i < count; i++) {
      HostCaseMemory.set(span, i, random.nextDouble(-1, 1));
    }
    return span;
  }

  /** I32 in [0, bound), the same for the same seed. */
  public static Span integers(long count, int bound, long seed) {
    Span span = zeros(DType.I32, count);
    var random = new SplittableRandom(seed);
    for (long i = 0; i < count; i++) {
      HostCaseMemory.set(span, i, random.nextInt(bound));
    }
    return span;
  }

  /** F32 numbers in [0, 1), the same for the same seed. */
  public static Span positive(long count, long seed) {
    Span span = zeros(count);
    var random = new SplittableRandom(seed);
    for (long i = 0; i < count; i++) {
      HostCaseMemory.set(span, i, random.nextDouble());
    }
    return span;
  }

  /** Bytes, the same for the same seed. */
  public static Span bytes(long count, long seed) {
    Span span = zeros(DType.U8, count);
    var random = new SplittableRandom(seed);
    for (long i = 0; i < count; i++) {
      HostCaseMemory.set(span, i, random.nextInt(256));
    }
    return span;
  }

  private static Span zeros(DType dtype, long count) {
    try (Scope _ = Scope.open(KEPT.device())) {
      return KEPT.adopt(Tensor.zeros(Shape.of(count), dtype)).span();
    }
  }
}
