package dev.fovea.kernels.cpu;

import static dev.fovea.kernels.DType.F32;
import static dev.fovea.kernels.DType.I32;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.fovea.kernels.ReduceKernels;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.Sums;
import dev.fovea.kernels.contract.HostCaseMemory;
import dev.fovea.kernels.contract.ReduceCases;
import dev.fovea.kernels.cpu.simd.Simd;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class ReduceContractTest {
  private static final CpuKernels CPU = CpuKernels.create(1);

  @TestFactory
  Stream<DynamicTest> contract() {
    return Devices.contract(ReduceCases.all());
  }

  @TestFactory
  Stream<DynamicTest> sameBitsOnAnyNumberOfThreads() {
    return Launches.sameBits(ReduceCases.all());
  }

  @Test
  void allocatesNothing() {
    Launches.allocatesNothing(ReduceCases.all());
  }

  @Test
  void vectorsAndPlainJavaSumInTheSameOrder() {
    try (var memory = new HostCaseMemory(1);
        var scalar = CpuKernels.create(1, Simd.scalar())) {
      for (int count : new int[] {1, 15, 63, 64, 65, 127, 128, 129, 513, 1024, 20_011}) {
        Span x = memory.normal(F32, count, 1);
        Span a = memory.values(F32, 0, 0);
        Span b = memory.values(F32, 0, 0);
        CPU.reduce().sum(x, a);
        scalar.reduce().sum(x, b);
        CPU.reduce().sumOfSquares(x, a.from(1));
        scalar.reduce().sumOfSquares(x, b.from(1));
        assertEquals(HostCaseMemory.get(a, 0), HostCaseMemory.get(b, 0), () -> "sum of " + count);
        assertEquals(HostCaseMemory.get(a, 1), HostCaseMemory.get(b, 1), () -> "sum of squares of " + count);
      }
    }
  }

  @Test
  void specials() {
    double inf = Double.POSITIVE_INFINITY;
    assertEquals(Double.NaN, maxAbs(1, Double.NaN, -inf));
    assertEquals(inf, maxAbs(1, -inf, 0));
    assertEquals(0x1p-149, maxAbs(0, -0x1p-149, -0.0));
    assertEquals(0, maxAbs());
    assertEquals(0, sum());
    assertEquals(Double.NaN, sum(1, inf, -inf));
    assertEquals(-inf, sum(1, -inf, 2));
    assertEquals(3 * 0x1p-149, sum(0x1p-149, 0x1p-149, 0x1p-149));
  }

  private static double maxAbs(double... values) {
    return one(values, CPU.reduce()::maxAbs);
  }

  private static double sum(double... values) {
    return one(values, CPU.reduce()::sum);
  }

  private interface Kernel {
    void run(Span x, Span out);
  }

  /** The result for the values behind 40 zeros, so that vectors see them. */
  private static double one(double[] values, Kernel kernel) {
    try (var memory = new HostCaseMemory(0)) {
      double[] padded = new double[values.length == 0 ? 0 : 40 + values.length];
      System.arraycopy(values, 0, padded, padded.length - values.length, values.length);
      Span out = memory.values(F32, 5);
      kernel.run(memory.values(F32, padded), out);
      return HostCaseMemory.get(out, 0);
    }
  }

  @Test
  void saysWhatIsWrong() {
    try (var memory = new HostCaseMemory(0)) {
      ReduceKernels reduce = CPU.reduce();
      Span x = memory.normal(F32, 12, 1);
      Span one = memory.workspace(F32, 1);
      Span integers = memory.workspace(I32, 12);
      Span none = x.slice(0, 0);
      Sums sums = Sums.into(one);
      Sums overlapping = Sums.into(x.from(8));
      Launches.rejects("x: got I32, expected F32 or BF16", () -> reduce.sum(integers, one));
      Launches.rejects("out: got I32, expected F32", () -> reduce.maxAbs(x, integers));
      Launches.rejects("out: got 0 elements, expected at least 1", () -> reduce.sumOfSquares(x, none));
      Launches.rejects("rows: got 0, expected at least 1", () -> reduce.columnSums(0, 3, x, 3, sums));
      Launches.rejects("columns: got -1, expected at least 1", () -> reduce.columnSums(1, -1, x, 3, sums));
      Launches.rejects("x: got leading dimension 2, expected at least 3", () -> reduce.columnSums(4, 3, x, 2, sums));
      Launches.rejects("x: got 12 elements, expected at least 13", () -> reduce.columnSums(3, 3, x, 5, sums));
      Launches.rejects("sums: got 1 elements, expected at least 3", () -> reduce.columnSums(4, 3, x, 3, sums));
      Launches.rejects("sums: overlaps x, expected its own memory", () -> reduce.columnSums(3, 3, x, 3, overlapping));
      Launches.rejects("maxNorm: got -1.0, expected 0.0 to Infinity", () -> reduce.clipFactor(x, -1, one));
      Launches.rejects("maxNorm: got NaN, expected 0.0 to Infinity", () -> reduce.clipFactor(x, Float.NaN, one));
      Launches.rejects("sumOfSquares: got I32, expected F32", () -> reduce.clipFactor(integers, 1, one));
    }
  }
}
