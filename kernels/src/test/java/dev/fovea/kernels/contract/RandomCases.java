package dev.fovea.kernels.contract;

import static dev.fovea.kernels.DType.BF16;
import static dev.fovea.kernels.DType.F32;
import static dev.fovea.kernels.DType.I32;
import static dev.fovea.kernels.contract.Tolerance.U;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Cases of {@link dev.fovea.kernels.RandomKernels}. */
public final class RandomCases {
  private static final long[] COUNTS = {0, 1, 2, 3, 4, 5, 7, 31, 33, 196, 257, 2047, 2048, 2051, 70_001};
  private static final long[][] KEYS = {{0, 0}, {42, 1}, {-1, -1}, {0x299f31d0a4093822L, 0x0370734413198a2eL}};

  private RandomCases() {}

  public static Stream<KernelCase> all() {
    List<KernelCase> cases = new ArrayList<>();
    for (int i = 0; i < COUNTS.length; i++) {
      long[] key = KEYS[i % KEYS.length];
      cases.add(bits(COUNTS[i], key[0], key[1]));
      for (DType dtype : new DType[] {F32, BF16}) {
        cases.add(uniform(dtype, COUNTS[i], 0, 1, key[0], key[1]));
        cases.add(uniform(dtype, COUNTS[i], -2.5f, 7.1f, key[0], key[1]));
        cases.add(normal(dtype, COUNTS[i], 0, 1, key[0], key[1]));
        cases.add(normal(dtype, COUNTS[i], 3, 0.02f, key[0], key[1]));
      }
      cases.add(keep(COUNTS[i], 0.1f, key[0], key[1]));
      cases.add(keep(COUNTS[i], 0.9f, key[0], key[1]));
      cases.add(keep(COUNTS[i], 1, key[0], key[1]));
    }
    return cases.stream();
  }

  /** A large weight, and the masks of a batch. */
  public static Stream<KernelCase> timed() {
    return Stream.of(
        bits(1 << 22, 1, 2),
        uniform(F32, 1 << 22, 0, 1, 1, 2),
        normal(F32, 1 << 22, 0, 1, 1, 2),
        normal(BF16, 1 << 22, 0, 1, 1, 2),
        keep(256, 0.9f, 1, 2),
        keep(1 << 22, 0.9f, 1, 2));
  }

  private static KernelCase bits(long count, long seed, long step) {
    return draw("bits", count + " of key " + seed + ", " + step, I32, count, memory -> {
      Span out = memory.output("out", I32, count, Tolerance.EXACT);
      return kernels -> kernels.random().bits(out, seed, step);
    });
  }

  private static KernelCase uniform(DType dtype, long count, float low, float high, long seed, long step) {
    return draw("uniform", dtype + " " + count + " in [" + low + ", " + high + ")", dtype, count, memory -> {
      double largest = Math.max(Math.abs(low), Math.abs(high));
      Span out =
          memory.output("out", dtype, count, Tolerance.absolute(4 * U * largest).rounded(dtype));
      return kernels -> kernels.random().uniform(out, low, high, seed, step);
    });
  }

  private static KernelCase normal(DType dtype, long count, float mean, float deviation, long seed, long step) {
    return draw("normal", dtype + " " + count + " of " + mean + " +- " + deviation, dtype, count, memory -> {
      // r is below 6; the absolute part is for the zeros of cosine and sine
      Tolerance tolerance = mean == 0
          ? new Tolerance(1e-12 * deviation, 8 * U)
          : Tolerance.absolute(8 * U * (Math.abs(mean) + 6 * deviation));
      Span out = memory.output("out", dtype, count, tolerance.rounded(dtype));
      return kernels -> kernels.random().normal(out, mean, deviation, seed, step);
    });
  }

  private static KernelCase keep(long count, float keep, long seed, long step) {
    return draw("keep", count + " with " + keep, F32, count, memory -> {
      Span out = memory.output("out", F32, count, Tolerance.EXACT);
      return kernels -> kernels.random().keep(out, keep, seed, step);
    });
  }

  private static KernelCase draw(String kernel, String shape, DType dtype, long count, KernelCase.Setup setup) {
    return new KernelCase("random." + kernel, shape, 0, count * dtype.bytes(), setup);
  }
}
