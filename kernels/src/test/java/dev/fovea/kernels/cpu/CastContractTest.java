package dev.fovea.kernels.cpu;

import static dev.fovea.kernels.DType.BF16;
import static dev.fovea.kernels.DType.F16;
import static dev.fovea.kernels.DType.F32;
import static dev.fovea.kernels.DType.F64;
import static dev.fovea.kernels.DType.I32;
import static dev.fovea.kernels.contract.HostCaseMemory.get;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.kernels.ElementwiseKernels;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.contract.CastCases;
import dev.fovea.kernels.contract.HostCaseMemory;
import dev.fovea.kernels.cpu.simd.Simd;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class CastContractTest {
  private static final int DRAWS = 1 << 16;
  private static final ElementwiseKernels CPU = CpuKernels.create(2).elementwise();
  private static final ElementwiseKernels SCALAR =
      CpuKernels.create(1, Simd.scalar()).elementwise();

  private final HostCaseMemory memory = new HostCaseMemory(0);

  @AfterEach
  void close() {
    memory.close();
  }

  @TestFactory
  Stream<DynamicTest> contract() {
    return Devices.contract(CastCases.all());
  }

  @TestFactory
  Stream<DynamicTest> sameBitsOnAnyNumberOfThreads() {
    return Launches.sameBits(CastCases.all());
  }

  @Test
  void allocatesNothing() {
    Launches.allocatesNothing(CastCases.all());
  }

  /** The mean of many stochastic casts of one value. */
  private double mean(ElementwiseKernels kernels, double value) {
    double[] values = new double[DRAWS];
    Arrays.fill(values, value);
    Span y = memory.workspace(BF16, DRAWS);
    kernels.castStochastic(memory.values(F32, values), y, 1, 2);
    double sum = 0;
    for (int i = 0; i < DRAWS; i++) {
      sum += get(y, i);
    }
    return sum / DRAWS;
  }

  @Test
  void stochasticCastsKeepTheExpectedValue() {
    for (ElementwiseKernels kernels : new ElementwiseKernels[] {CPU, SCALAR}) {
      for (double unit : new double[] {0x1p-7, -0x1p-7, 0x1p-133, -0x1p-133, 0x1p100}) {
        // the fractions of one unit in the last place of BF16, from the even and from the odd neighbour
        for (double fraction : new double[] {0, 0.001, 0.25, 0.5, 0.75, 0.9, 1, 1.5}) {
          double value = (float) ((128 + fraction) * unit);
          double deviation = Math.sqrt(fraction % 1 * (1 - fraction % 1) / DRAWS);
          assertEquals(value, mean(kernels, value), 5 * deviation * Math.abs(unit), "of " + value);
        }
      }
    }
  }

  @Test
  void stochasticCastsOfDenormalsCanReachZeroAndTheSmallestNormal() {
    assertEquals(0x1p-134, mean(CPU, 0x1p-134), 5 * 0x1p-134 / 256);
    assertEquals(0x1p-126 - 0x1p-134, mean(CPU, 0x1p-126 - 0x1p-134), 5 * 0x1p-134 / 256);
  }

  @Test
  void stochasticCastsNeverReachInfinity() {
    for (ElementwiseKernels kernels : new ElementwiseKernels[] {CPU, SCALAR}) {
      for (double value : new double[] {0x1.fep127, 0x1.fe8p127, Float.MAX_VALUE}) {
        assertEquals(0x1.fep127, mean(kernels, value));
        assertEquals(-0x1.fep127, mean(kernels, -value));
      }
      // below the largest one, it may round to that
      double mean = mean(kernels, 0x1.fdp127);
      assertTrue(mean > 0x1.fcp127 && mean < 0x1.fep127, "got " + mean);
    }
  }

  @Test
  void stochasticCastsKeepSpecials() {
    double inf = Double.POSITIVE_INFINITY;
    for (ElementwiseKernels kernels : new ElementwiseKernels[] {CPU, SCALAR}) {
      assertEquals(inf, mean(kernels, inf));
      assertEquals(-inf, mean(kernels, -inf));
      assertEquals(Double.NaN, mean(kernels, Double.NaN));
      assertEquals(0, mean(kernels, 0));
    }
  }

  /** Half a unit and a bit, which F32 would lose before the second rounding. */
  @Test
  void doublesAreRoundedOnce() {
    Span x = memory.values(F64, 1 + 0x1p-8 + 0x1p-40, 1 + 0x1p-8 - 0x1p-40, -1 - 0x1p-11 - 0x1p-50, 1e300, -1e-300);
    Span bf16 = memory.workspace(BF16, 5);
    CPU.cast(x, bf16);
    assertEquals(1 + 0x1p-7, get(bf16, 0));
    assertEquals(1, get(bf16, 1));
    assertEquals(Double.POSITIVE_INFINITY, get(bf16, 3));
    assertEquals(-0.0, get(bf16, 4));
    Span f16 = memory.workspace(F16, 5);
    CPU.cast(x, f16);
    assertEquals(-1 - 0x1p-10, get(f16, 2));
    assertEquals(Double.POSITIVE_INFINITY, get(f16, 3));
  }

  @Test
  void aCastMayWriteOverItsInput() {
    Span x = memory.values(F16, 1, 2.5, -3, 1e-3);
    CPU.cast(x, new Span(x.address(), x.bytes(), BF16));
    assertEquals(2.5, get(new Span(x.address(), x.bytes(), BF16), 1));
    CPU.cast(x, x);
  }

  @Test
  void messages() {
    Span f32 = memory.workspace(F32, 4);
    Span bf16 = memory.workspace(BF16, 3);
    Span i32 = memory.workspace(I32, 4);
    Launches.rejects("y: got 3 elements, expected 4 as in x", () -> CPU.cast(f32, bf16));
    Launches.rejects("y: got 3 elements, expected 4 as in x", () -> CPU.castStochastic(f32, bf16, 0, 0));
    Launches.rejects("x: got BF16, expected F32", () -> CPU.castStochastic(bf16, bf16, 0, 0));
    Launches.rejects("y: got I32, expected BF16", () -> CPU.castStochastic(f32, i32, 0, 0));
  }
}
