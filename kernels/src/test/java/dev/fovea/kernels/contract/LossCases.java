package dev.fovea.kernels.contract;

import static dev.fovea.kernels.DType.BF16;
import static dev.fovea.kernels.DType.F32;
import static dev.fovea.kernels.DType.I32;
import static dev.fovea.kernels.DType.I64;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Cases of {@link dev.fovea.kernels.LossKernels}. */
public final class LossCases {
  private static final double U = Tolerance.U;
  /** Rows, classes. */
  private static final int[][] SHAPES = {{1, 1}, {7, 2}, {196, 7}, {33, 10}, {5, 197}, {9, 1000}, {2, 1100}, {2, 21_841}
  };

  /** Where the labels or soft targets come from. */
  private enum Truth {
    I32_LABELS,
    I64_LABELS,
    SOFT_TARGETS
  }

  private enum Loss {
    SOFTMAX,
    SIGMOID
  }

  /** What a case asks for. */
  private enum Want {
    BOTH,
    LOSSES,
    GRADIENT,
    IN_PLACE
  }

  private LossCases() {}

  public static Stream<KernelCase> all() {
    List<KernelCase> cases = new ArrayList<>();
    for (int[] s : SHAPES) {
      for (double deviation : new double[] {1, 1e4}) {
        cases.add(softmax(s, F32, F32, deviation, false));
        cases.add(softmax(s, BF16, F32, deviation, false));
        cases.add(softmax(s, F32, BF16, deviation, false));
        cases.add(softmax(s, BF16, null, deviation, false));
        cases.add(softmax(s, F32, null, deviation, false));
        for (Loss loss : Loss.values()) {
          cases.add(entropy(loss, s, Truth.I32_LABELS, F32, F32, 0, deviation, Want.BOTH));
          cases.add(entropy(loss, s, Truth.I64_LABELS, BF16, F32, 0.1f, deviation, Want.BOTH));
          cases.add(entropy(loss, s, Truth.SOFT_TARGETS, F32, BF16, 0, deviation, Want.BOTH));
          cases.add(entropy(loss, s, Truth.SOFT_TARGETS, BF16, BF16, 0.25f, deviation, Want.IN_PLACE));
          cases.add(entropy(loss, s, Truth.I32_LABELS, F32, F32, 0.1f, deviation, Want.IN_PLACE));
        }
      }
      cases.add(softmax(s, F32, F32, 3, true));
      for (Loss loss : Loss.values()) {
        cases.add(entropy(loss, s, Truth.I32_LABELS, F32, F32, 0, 3, Want.LOSSES));
        cases.add(entropy(loss, s, Truth.SOFT_TARGETS, F32, F32, 0.1f, 3, Want.GRADIENT));
      }
    }
    return cases.stream();
  }

  /** ImageNet-1k and 21k, and JFT's sigmoid. */
  public static Stream<KernelCase> timed() {
    int[] small = {1024, 1000};
    int[] large = {256, 21_841};
    return Stream.of(
        softmax(small, F32, F32, 1, false),
        entropy(Loss.SOFTMAX, small, Truth.I32_LABELS, F32, F32, 0.1f, 1, Want.BOTH),
        entropy(Loss.SOFTMAX, large, Truth.SOFT_TARGETS, F32, F32, 0, 1, Want.BOTH),
        entropy(Loss.SIGMOID, large, Truth.I32_LABELS, BF16, BF16, 0, 1, Want.BOTH));
  }

  /** In place if {@code to} is null. With {@code masked}, every third logit is -infinity. */
  private static KernelCase softmax(int[] s, DType from, @Nullable DType to, double deviation, boolean masked) {
    int rows = s[0];
    int classes = s[1];
    long count = (long) rows * classes;
    String shape = "%dx%d of %s%s, %s to %s"
        .formatted(rows, classes, deviation, masked ? " masked" : "", from, to == null ? "itself" : to);
    DType result = to == null ? from : to;
    return new KernelCase("loss.softmax", shape, 0, count * (double) (from.bytes() + result.bytes()), memory -> {
      Span x = masked ? memory.values(from, masked(count)) : memory.normal(from, count, deviation);
      // x - max may be off by half an ulp of at most 104, below which nothing is left of its exponential.
      double relative = (classes + 8 + Math.min(10 * deviation, 104)) * U;
      Tolerance tolerance = new Tolerance(0x1p-149, relative).rounded(result);
      Span y = to == null ? memory.inout("y", x, tolerance) : memory.output("y", to, count, tolerance);
      return kernels -> kernels.loss().softmax(rows, classes, x, y);
    });
  }

  private static double[] masked(long count) {
    double[] values = new double[Math.toIntExact(count)];
    for (int i = 0; i < values.length; i++) {
      values[i] = i % 3 == 1 ? Double.NEGATIVE_INFINITY : i * 31 % 17 - 8;
    }
    return values;
  }

  /** Cross-entropy in F32 with its gradient, to be timed. */
  public static KernelCase softmaxCrossEntropy(int rows, int classes) {
    return entropy(Loss.SOFTMAX, new int[] {rows, classes}, Truth.I32_LABELS, F32, F32, 0, 1, Want.BOTH);
  }

  private static KernelCase entropy(
      Loss kind, int[] s, Truth truth, DType from, DType to, float smoothing, double deviation, Want want) {
    int rows = s[0];
    int classes = s[1];
    long count = (long) rows * classes;
    String shape = "%dx%d of %s, %s, smoothing %s, %s to %s, %s"
        .formatted(rows, classes, deviation, truth, smoothing, from, to, want);
    double bytes = count * (double) (from.bytes() + to.bytes() + (truth == Truth.SOFT_TARGETS ? 4 : 0));
    return new KernelCase("loss." + kind.name().toLowerCase(Locale.ROOT) + "CrossEntropy", shape, 0, bytes, memory -> {
      boolean scaled = want == Want.GRADIENT || from == BF16;
      float scale = scaled ? 2f : 0.5f;
      Span returned = scaled ? memory.values(F32, 0.25) : null;
      Span logits = memory.normal(from, count, deviation);
      Span labels = switch (truth) {
        case I32_LABELS -> memory.integers(I32, rows, -1, classes);
        case I64_LABELS -> memory.integers(I64, rows, -1, classes);
        case SOFT_TARGETS -> null;
      };
      Span targets = labels == null ? memory.values(F32, soft(rows, classes)) : null;
      Span losses =
          want == Want.GRADIENT ? null : memory.output("losses", F32, rows, lossBound(kind, classes, deviation));
      Tolerance gradient = gradientBound(kind, classes, deviation, 0.5, to);
      Span dLogits = switch (want) {
        case LOSSES -> null;
        case IN_PLACE -> memory.inout("dLogits", logits, gradient);
        case BOTH, GRADIENT -> memory.output("dLogits", to, count, gradient);
      };
      return kind == Loss.SOFTMAX
          ? kernels -> kernels
              .loss()
              .softmaxCrossEntropy(rows, classes, smoothing, scale, returned, logits, labels, targets, losses, dLogits)
          : kernels -> kernels
              .loss()
              .sigmoidCrossEntropy(rows, classes, smoothing, scale, returned, logits, labels, targets, losses, dLogits);
    });
  }

  /** Targets that add up to about 1.25 in every row; a quarter of them is 0. */
  private static double[] soft(int rows, int classes) {
    double[] t = new double[rows * classes];
    for (int i = 0; i < t.length; i++) {
      t[i] = i % 4 == 2 ? 0 : i * 7919L % 101 / 30.0 / classes;
    }
    return t;
  }

  /** (n + 2) u of the sum of the terms' magnitudes, and the rounding of x - max in each. */
  private static Tolerance lossBound(Loss kind, int classes, double deviation) {
    double terms = kind == Loss.SOFTMAX ? 1.5 * (6 * deviation + Math.log(classes)) : classes * (0.8 * deviation + 0.7);
    return Tolerance.absolute((classes + 8) * U * (terms + deviation));
  }

  private static Tolerance gradientBound(Loss kind, int classes, double deviation, double scale, DType to) {
    double exponent = kind == Loss.SOFTMAX ? Math.min(10 * deviation, 104) : 0;
    double pointwise = (16 + exponent) * U;
    double relative = kind == Loss.SOFTMAX ? (classes + 8) * U : 0;
    return new Tolerance(scale * 1.5 * pointwise, pointwise + relative).rounded(to);
  }
}
