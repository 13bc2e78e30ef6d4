package dev.fovea.kernels.contract;

import static dev.fovea.kernels.DType.BF16;
import static dev.fovea.kernels.DType.F16;
import static dev.fovea.kernels.DType.F32;
import static dev.fovea.kernels.DType.F64;
import static dev.fovea.kernels.DType.I32;
import static dev.fovea.kernels.DType.I64;
import static dev.fovea.kernels.DType.U8;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Cases of the casts of {@link dev.fovea.kernels.ElementwiseKernels}: exact on every device. */
public final class CastCases {
  private static final long[] COUNTS = {0, 1, 7, 31, 196, 257, 2048, 2051, 70_001};
  private static final DType[] FLOATING = {F32, BF16, F16, F64};
  private static final double INF = Double.POSITIVE_INFINITY;

  /** Zeros, ties and what is next to them, denormals, the largest of each dtype and what rounds past it. */
  private static final double[] SPECIAL = {
    0,
    -0.0,
    1,
    1 + 0x1p-8,
    1 + 0x3p-8,
    1 + 0x1.8p-8,
    1 + 0x1p-11,
    1 + 0x3p-11,
    -1 - 0x1p-24,
    0x1p-126,
    0x1p-133,
    0x1p-134,
    0x1.8p-133,
    0x1p-149,
    -0x1p-149,
    0x1p-14,
    0x1p-24,
    0x1p-25,
    0x1.8p-25,
    65504,
    65519,
    65520,
    -65536,
    0x1.fep127,
    0x1.fffffep127,
    -0x1.ffp127,
    0x1.feffp127,
    INF,
    -INF,
    Double.NaN
  };

  private CastCases() {}

  public static Stream<KernelCase> all() {
    List<KernelCase> cases = new ArrayList<>();
    for (DType from : FLOATING) {
      for (DType to : FLOATING) {
        for (long count : COUNTS) {
          cases.add(cast(from, to, count));
        }
        cases.add(new KernelCase("elementwise.cast", from + " to " + to + " of specials", memory -> {
          Span x = memory.values(from, SPECIAL);
          Span y = memory.output("y", to, SPECIAL.length, Tolerance.EXACT);
          return kernels -> kernels.elementwise().cast(x, y);
        }));
      }
    }
    for (long count : COUNTS) {
      cases.add(integers(U8, count, 0, 256));
      cases.add(integers(I32, count, Integer.MIN_VALUE, Integer.MAX_VALUE));
      cases.add(integers(I64, count, -(1L << 52), 1L << 52));
      cases.add(stochastic(count));
    }
    cases.add(new KernelCase("elementwise.castStochastic", "of specials", memory -> {
      Span x = memory.values(F32, SPECIAL);
      Span y = memory.output("y", BF16, SPECIAL.length, Tolerance.EXACT);
      return kernels -> kernels.elementwise().castStochastic(x, y, 3, 4);
    }));
    return cases.stream();
  }

  /** A large activation, out of cache. */
  public static Stream<KernelCase> timed() {
    return Stream.of(cast(F32, BF16, 1 << 24), cast(BF16, F32, 1 << 24), cast(F16, F32, 1 << 24), stochastic(1 << 24));
  }

  private static KernelCase cast(DType from, DType to, long count) {
    double bytes = (double) count * (from.bytes() + to.bytes());
    return new KernelCase("elementwise.cast", from + " to " + to + " " + count, 0, bytes, memory -> {
      Span x = memory.normal(from, count, 3);
      Span y = memory.output("y", to, count, Tolerance.EXACT);
      return kernels -> kernels.elementwise().cast(x, y);
    });
  }

  private static KernelCase integers(DType from, long count, long low, long high) {
    double bytes = (double) count * (from.bytes() + 4);
    return new KernelCase("elementwise.cast", from + " to F32 " + count, 0, bytes, memory -> {
      Span x = memory.integers(from, count, low, high);
      Span y = memory.output("y", F32, count, Tolerance.EXACT);
      return kernels -> kernels.elementwise().cast(x, y);
    });
  }

  private static KernelCase stochastic(long count) {
    return new KernelCase("elementwise.castStochastic", "" + count, 0, 6.0 * count, memory -> {
      Span x = memory.normal(F32, count, 3);
      Span y = memory.output("y", BF16, count, Tolerance.EXACT);
      return kernels -> kernels.elementwise().castStochastic(x, y, 42, count);
    });
  }
}
