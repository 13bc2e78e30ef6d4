package dev.fovea.kernels.contract;

import static dev.fovea.kernels.DType.BF16;
import static dev.fovea.kernels.DType.F32;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.Sums;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/** Cases of {@link dev.fovea.kernels.ReduceKernels}. */
public final class ReduceCases {
  private static final long[] COUNTS = {1, 2, 7, 31, 196, 257, 1023, 1024, 1025, 4097, 131_072, 300_007};
  /** Rows, columns, leading dimension. */
  private static final int[][] MATRICES = {
    {1, 1, 1},
    {1, 257, 257},
    {7, 1, 1},
    {196, 7, 7},
    {197, 64, 64},
    {257, 72, 80},
    {1000, 13, 13},
    {33, 1025, 1025},
    {5, 2051, 3000},
    {2, 40_000, 40_000},
    {3001, 197, 197}
  };
  /** Mean magnitude of a normal number. */
  private static final double MEAN = 0.7979;

  private ReduceCases() {}

  public static Stream<KernelCase> all() {
    List<KernelCase> cases = new ArrayList<>();
    for (DType dtype : new DType[] {F32, BF16}) {
      for (long count : COUNTS) {
        cases.add(sum(dtype, count));
        cases.add(sumOfSquares(dtype, count));
        cases.add(maxAbs(dtype, count));
      }
      for (int[] m : MATRICES) {
        cases.add(columnSums(dtype, m[0], m[1], m[2]));
      }
    }
    for (int tensors : new int[] {1, 5, 30, 1400}) {
      cases.add(sumOfSquaresOfMany(tensors));
    }
    for (double squares : new double[] {0, 1e-30, 0.25, 4, 9, 1e30, Double.POSITIVE_INFINITY, Double.NaN}) {
      cases.add(clipFactor(squares));
    }
    return cases.stream();
  }

  /** What a training step of ViT-B reduces. */
  public static Stream<KernelCase> timed() {
    return Stream.of(
        sum(F32, 1 << 24),
        sumOfSquares(F32, 1 << 24),
        sumOfSquares(BF16, 1 << 25),
        maxAbs(F32, 1 << 24),
        columnSums(F32, 12_608, 768, 768),
        columnSums(F32, 12_608, 3072, 3072),
        columnSums(BF16, 12_608, 3072, 3072));
  }

  private static KernelCase sum(DType dtype, long count) {
    return fold("sum", dtype, count, memory -> {
      Span x = memory.normal(dtype, count, 1);
      Span out = memory.output("out", F32, 1, Tolerance.absolute(bound(count) * MEAN * count));
      return kernels -> kernels.reduce().sum(x, out);
    });
  }

  private static KernelCase sumOfSquares(DType dtype, long count) {
    return fold("sumOfSquares", dtype, count, memory -> {
      Span x = memory.normal(dtype, count, 1);
      Span out = memory.inout("out", memory.values(F32, 3), Tolerance.relative(bound(count)));
      return kernels -> kernels.reduce().sumOfSquares(x, out);
    });
  }

  /** Tensors of odd sizes and both dtypes, one of them empty; many are small. */
  private static KernelCase sumOfSquaresOfMany(int tensors) {
    long[] counts = new long[tensors];
    for (int t = 0; t < tensors; t++) {
      counts[t] = t == 3 ? 0 : tensors > 100 ? 1 + t % 5 : 1 + t * 4099L % (t == 1 ? 20_000 : 700);
    }
    long all = LongStream.of(counts).sum();
    return new KernelCase("reduce.sumOfSquares of many", tensors + " tensors", 0, 3.0 * all, memory -> {
      List<Span> xs = new ArrayList<>();
      for (int t = 0; t < tensors; t++) {
        xs.add(memory.normal(t % 2 == 0 ? F32 : BF16, counts[t], 1));
      }
      Span out = memory.inout("out", memory.values(F32, 3), Tolerance.relative(bound(all) + tensors * Tolerance.U));
      return kernels -> kernels.reduce().sumOfSquares(xs, out);
    });
  }

  private static KernelCase maxAbs(DType dtype, long count) {
    return fold("maxAbs", dtype, count, memory -> {
      Span x = memory.normal(dtype, count, 1);
      Span out = memory.output("out", F32, 1, Tolerance.EXACT);
      return kernels -> kernels.reduce().maxAbs(x, out);
    });
  }

  private static KernelCase fold(String kernel, DType dtype, long count, KernelCase.Setup setup) {
    return new KernelCase("reduce." + kernel, dtype + " " + count, 0, dtype.bytes() * (double) count, setup);
  }

  /** The error that a sum of {@code count} may have, as a share of the sum of magnitudes. */
  private static double bound(long count) {
    return (Math.log(count) / Math.log(2) + 8) * Tolerance.U;
  }

  private static KernelCase columnSums(DType dtype, int rows, int columns, int ld) {
    String shape = "%s %dx%d ld %d".formatted(dtype, rows, columns, ld);
    double bytes = (double) rows * columns * dtype.bytes();
    return new KernelCase("reduce.columnSums", shape, 0, bytes, memory -> {
      Span x = memory.normal(dtype, (rows - 1L) * ld + columns, 1);
      Tolerance tolerance = Tolerance.absolute((rows + 2) * Tolerance.U * (rows * MEAN + 4));
      Sums sums = memory.sums("sums", columns, ld > columns, tolerance);
      return kernels -> kernels.reduce().columnSums(rows, columns, x, ld, sums);
    });
  }

  private static KernelCase clipFactor(double squares) {
    return new KernelCase("reduce.clipFactor", "norm^2 " + squares, memory -> {
      Span sum = memory.values(F32, squares);
      Span out = memory.output("out", F32, 1, Tolerance.relative(2 * Tolerance.U));
      return kernels -> kernels.reduce().clipFactor(sum, 1.5f, out);
    });
  }
}
