package dev.fovea.kernels.contract;

import static dev.fovea.kernels.DType.BF16;
import static dev.fovea.kernels.DType.F32;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.Norm;
import dev.fovea.kernels.NormKernels;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.Sums;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Cases of {@link dev.fovea.kernels.NormKernels}. */
public final class NormCases {
  private static final double U = Tolerance.U;
  /** No normal number drawn here is larger. */
  private static final double MOST = 6;

  /** Rows, groups, width, how much longer a row is in memory. */
  private static final int[][] SHAPES = {
    {1, 1, 1, 0},
    {1, 1, 7, 0},
    {7, 1, 64, 3},
    {196, 1, 72, 0},
    {197, 3, 64, 192},
    {33, 12, 80, 0},
    {131, 1, 257, 1},
    {5, 7, 13, 2},
    {30, 16, 88, 5},
    {90, 1, 768, 0},
    {41, 2, 96, 64},
    {700, 3, 16, 0},
    {9, 1, 1200, 0},
    {3, 1, 5003, 0},
    {2, 1, 20_000, 0},
    {420, 2, 104, 0}
  };

  private NormCases() {}

  public static Stream<KernelCase> all() {
    List<KernelCase> cases = new ArrayList<>();
    for (int[] s : SHAPES) {
      for (boolean centered : new boolean[] {true, false}) {
        Norm norm = new Norm(s[0], s[1], s[2], 1e-6f, centered);
        cases.add(forward(norm, s[3], true, true, true, F32, F32, false));
        cases.add(forward(norm, 0, true, false, false, BF16, F32, false));
        cases.add(forward(norm, s[3], false, true, true, F32, BF16, false));
        cases.add(forward(norm, s[3], false, false, true, BF16, BF16, true));
        cases.add(forward(norm, 0, true, true, true, F32, F32, true));
        cases.add(backward(norm, s[3], true, true, true, true, F32, ' '));
        cases.add(backward(norm, s[3], false, false, true, false, F32, ' '));
        cases.add(backward(norm, 0, true, false, false, true, BF16, 'y'));
        cases.add(backward(norm, s[3], true, true, false, false, F32, 'a'));
        cases.add(backward(norm, 0, false, true, true, true, BF16, ' '));
        if (s[1] > 1) {
          cases.add(pair(norm, s[3], centered, F32, s[2] % 2 == 0));
          cases.add(pair(norm, 0, !centered, BF16, true));
        }
      }
    }
    cases.add(offset(1000));
    cases.add(offset(-0x1p20));
    return cases.stream();
  }

  /** What ViT-B does to 64 images: whole tokens, and heads. */
  public static Stream<KernelCase> timed() {
    Norm layer = Norm.layer(12_608, 768, 1e-6f);
    Norm heads = new Norm(12_608, 12, 64, 1e-6f, false);
    return Stream.of(
        forward(layer, 0, true, true, true, F32, F32, false),
        forward(layer, 0, true, true, true, BF16, BF16, false),
        forward(heads, 1536, true, false, true, F32, F32, false),
        backward(layer, 0, true, true, true, true, F32, ' '),
        backward(heads, 1536, true, false, true, false, F32, ' '));
  }

  /** A layer norm in F32 with weight and bias, or its gradient, to be timed. */
  public static KernelCase timed(int rows, int width, boolean backward) {
    Norm layer = Norm.layer(rows, width, 1e-6f);
    return backward
        ? backward(layer, 0, true, false, true, true, F32, ' ')
        : forward(layer, 0, true, true, true, F32, F32, false);
  }

  private static KernelCase forward(
      Norm norm, int gap, boolean weight, boolean bias, boolean stats, DType from, DType to, boolean inPlace) {
    int columns = norm.groups() * norm.width();
    long ld = columns + gap;
    long count = (norm.rows() - 1) * ld + columns;
    String shape = shape(norm, gap) + (weight ? " weight" : "") + (bias ? " bias" : "") + (stats ? " stats" : "") + " "
        + from + " " + to + (inPlace ? " in place" : "");
    double bytes = (double) norm.rows() * columns * (from.bytes() + to.bytes());
    return new KernelCase("norm.forward", shape, 0, bytes, memory -> {
      Span x = memory.normal(from, count, 1);
      Span w = weight ? memory.normal(F32, norm.width(), 1) : null;
      Span b = bias ? memory.normal(BF16, norm.width(), 1) : null;
      Tolerance tolerance =
          Tolerance.absolute(normalError(norm) * (weight ? MOST : 1)).rounded(to);
      Span y = inPlace
          ? memory.inout("y", x, tolerance)
          : gap > 0
              ? memory.inout("y", memory.normal(to, count, 1), tolerance)
              : memory.output("y", to, count, tolerance);
      Span s = stats ? memory.output("stats", F32, norm.statsCount(), stats(norm)) : null;
      return kernels -> kernels.norm().forward(norm, x, ld, w, b, y, ld, s);
    });
  }

  /** Values far from 0: the variance must not come from a difference of squares. */
  private static KernelCase offset(double offset) {
    Norm norm = Norm.layer(3, 200, 0);
    return new KernelCase("norm.forward", "3x200 around " + offset, memory -> {
      double[] values = new double[600];
      for (int i = 0; i < values.length; i++) {
        values[i] = offset + i * 37 % 64 - 31.5;
      }
      Span x = memory.values(F32, values);
      // The mean is known to (200 + 2) u of the offset, the deviation is above 18.
      Span y = memory.output("y", F32, 600, Tolerance.absolute(202 * U * Math.abs(offset) / 18));
      return kernels -> kernels.norm().forward(norm, x, 200, null, null, y, 200, null);
    });
  }

  /** @param into where dx goes: ' ' a place of its own, 'y' dy, 'a' add */
  private static KernelCase backward(
      Norm norm, int gap, boolean weight, boolean add, boolean dWeight, boolean dBias, DType dtype, char into) {
    int columns = norm.groups() * norm.width();
    long ld = columns + gap;
    long count = (norm.rows() - 1) * ld + columns;
    String shape = shape(norm, gap) + (weight ? " weight" : "") + (add ? " add" : "") + (dWeight ? " dWeight" : "")
        + (dBias ? " dBias" : "") + " " + dtype + (into == 'y' ? " into dy" : into == 'a' ? " into add" : "");
    double bytes = (double) norm.rows() * columns * dtype.bytes() * (add ? 4 : 3);
    return new KernelCase("norm.backward", shape, 0, bytes, memory -> {
      Span x = memory.normal(dtype, count, 1);
      Span w = weight ? memory.normal(F32, norm.width(), 1) : null;
      Span stats = memory.workspace(F32, norm.statsCount());
      Span unused = memory.workspace(dtype, count);
      Span dy = memory.normal(dtype, count, 1);
      Span a = add ? memory.normal(dtype, count, 1) : null;
      double g = weight ? MOST : 1;
      double most = norm.width() < 8 ? 1e3 : 2;
      Tolerance tolerance =
          Tolerance.absolute(most * g * 3 * MOST * normalError(norm)).rounded(dtype);
      Span dx = memory.inout(
          "dx", into == 'y' ? dy : into == 'a' && a != null ? a : memory.normal(dtype, count, 1), tolerance);
      double terms = norm.rows() * norm.groups();
      double error = (terms + 4) * U * terms + terms * normalError(norm);
      Tolerance sums = Tolerance.absolute(error);
      Sums dw = dWeight ? memory.sums("dWeight", norm.width(), add, sums) : null;
      Sums db = dBias ? memory.sums("dBias", norm.width(), add == dWeight, sums) : null;
      return kernels -> {
        kernels.norm().forward(norm, x, ld, null, null, unused, ld, stats);
        kernels.norm().backward(norm, x, ld, w, stats, dy, ld, a, dx, ld, dw, db);
      };
    });
  }

  /** Queries and keys: two norms side by side in longer rows. */
  private static KernelCase pair(Norm norm, int gap, boolean bias, DType dtype, boolean inPlace) {
    int columns = 2 * norm.groups() * norm.width();
    long ld = columns + gap;
    long count = (norm.rows() - 1) * ld + columns;
    String shape = shape(norm, gap) + (bias ? " dBias" : "") + " " + dtype + (inPlace ? " into dy" : "");
    double bytes = (double) norm.rows() * columns * dtype.bytes() * 3;
    return new KernelCase("norm.backwardPair", shape, 0, bytes, memory -> {
      Span x = memory.normal(dtype, count, 1);
      Span unused = memory.workspace(dtype, count);
      Span dy = memory.normal(dtype, count, 1);
      double most = norm.width() < 8 ? 1e3 : 2;
      Tolerance tolerance =
          Tolerance.absolute(most * MOST * 3 * MOST * normalError(norm)).rounded(dtype);
      Span dx = memory.inout("dx", inPlace ? dy : memory.normal(dtype, count, 1), tolerance);
      NormKernels.Side first = side(memory, norm, bias, "first");
      NormKernels.Side second = side(memory, norm, bias, "second");
      long width = columns / 2;
      return kernels -> {
        kernels.norm().forward(norm, x, ld, null, null, unused, ld, first.stats());
        kernels.norm().forward(norm, x.from(width), ld, null, null, unused, ld, second.stats());
        kernels.norm().backwardPair(norm, x, ld, first, second, dy, ld, dx, ld);
      };
    });
  }

  private static NormKernels.Side side(CaseMemory memory, Norm norm, boolean bias, String name) {
    double terms = norm.rows() * norm.groups();
    Tolerance sums = Tolerance.absolute((terms + 4) * U * terms + terms * normalError(norm));
    return new NormKernels.Side(
        memory.normal(F32, norm.width(), 1),
        memory.workspace(F32, norm.statsCount()),
        memory.sums(name + ".dWeight", norm.width(), bias, sums),
        bias ? memory.sums(name + ".dBias", norm.width(), name.equals("first"), sums) : null);
  }

  /**
   * How far a normalised value may be off: mean and variance are sums of width terms of magnitude 1, each to (width +
   * 2) u, and a value is at most some deviations from the mean.
   */
  private static double normalError(Norm norm) {
    return (norm.width() + 2 + 4 * MOST) * U;
  }

  private static Tolerance stats(Norm norm) {
    return new Tolerance((norm.width() + 2) * U, (norm.width() + 6) * U);
  }

  private static String shape(Norm norm, int gap) {
    return "%s %dx%dx%d+%d".formatted(norm.centered() ? "layer" : "rms", norm.rows(), norm.groups(), norm.width(), gap);
  }
}
