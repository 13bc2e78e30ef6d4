package dev.fovea.kernels.cpu;

import static dev.fovea.kernels.DType.BF16;
import static dev.fovea.kernels.DType.F32;
import static dev.fovea.kernels.DType.I32;
import static dev.fovea.kernels.contract.HostCaseMemory.get;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.kernels.RandomKernels;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.contract.HostCaseMemory;
import dev.fovea.kernels.contract.RandomCases;
import dev.fovea.kernels.cpu.simd.Simd;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class RandomContractTest {
  private static final int MANY = 1 << 18;
  private static final RandomKernels CPU = CpuKernels.create(2).random();
  private static final RandomKernels SCALAR =
      CpuKernels.create(1, Simd.scalar()).random();

  @TestFactory
  Stream<DynamicTest> contract() {
    return Devices.contract(RandomCases.all());
  }

  @TestFactory
  Stream<DynamicTest> sameBitsOnAnyNumberOfThreads() {
    return Launches.sameBits(RandomCases.all());
  }

  @Test
  void allocatesNothing() {
    Launches.allocatesNothing(RandomCases.all());
  }

  /** The sums of the first four powers over many draws, each divided by their number. */
  private static double[] moments(Consumer<Span> draw) {
    double[] moments = new double[5];
    try (var memory = new HostCaseMemory(0)) {
      Span out = memory.workspace(F32, MANY);
      draw.accept(out);
      double before = 0;
      for (int i = 0; i < MANY; i++) {
        double x = get(out, i);
        for (int p = 0; p < 4; p++) {
          moments[p] += Math.pow(x, p + 1) / MANY;
        }
        moments[4] += x * before / MANY;
        before = x;
      }
    }
    return moments;
  }

  @Test
  void normalHasTheMomentsOfTheNormalDistribution() {
    double[] m = moments(out -> CPU.normal(out, 0, 1, 7, 11));
    double error = 5 / Math.sqrt(MANY); // five standard errors of a quantity of variance 1
    assertEquals(0, m[0], error);
    assertEquals(1, m[1], Math.sqrt(2) * error);
    assertEquals(0, m[2], Math.sqrt(15) * error);
    assertEquals(3, m[3], Math.sqrt(96) * error);
    assertEquals(0, m[4], error);
  }

  @Test
  void uniformHasTheMomentsOfTheUniformDistribution() {
    double[] m = moments(out -> CPU.uniform(out, -1, 1, 7, 11));
    double error = 5 / Math.sqrt(MANY);
    assertEquals(0, m[0], error * Math.sqrt(1 / 3.0));
    assertEquals(1 / 3.0, m[1], error * Math.sqrt(4 / 45.0));
    assertEquals(0, m[2], error * Math.sqrt(1 / 7.0));
    assertEquals(0.2, m[3], error * Math.sqrt(1 / 9.0 - 0.04));
    assertEquals(0, m[4], error / 3);
  }

  @Test
  void uniformFillsItsRangeEvenly() {
    try (var memory = new HostCaseMemory(0)) {
      Span out = memory.workspace(F32, MANY);
      CPU.uniform(out, 0, 256, 3, 4);
      int[] bins = new int[256];
      for (int i = 0; i < MANY; i++) {
        bins[(int) get(out, i)]++;
      }
      double chiSquare = 0;
      for (int bin : bins) {
        chiSquare += Math.pow(bin - MANY / 256.0, 2) / (MANY / 256.0);
      }
      assertTrue(chiSquare > 150 && chiSquare < 380, "chi square " + chiSquare);
    }
  }

  @Test
  void keepKeepsTheExpectedValue() {
    for (float keep : new float[] {0.1f, 0.5f, 0.9f}) {
      double[] m = moments(out -> CPU.keep(out, keep, 5, 6));
      assertEquals(1, m[0], 5 * Math.sqrt((1 - keep) / keep / MANY));
      assertEquals(1 / keep, m[1], 5 * Math.sqrt((1 - keep) / keep / MANY) / keep);
    }
  }

  /** Near 1 the spacing is so wide that the product rounds to the upper end for half of the words of all ones. */
  @Test
  void uniformNeverReachesTheUpperEnd() {
    try (var memory = new HostCaseMemory(0)) {
      Span out = memory.workspace(F32, MANY);
      float high = Math.nextUp(Math.nextUp(1f));
      for (RandomKernels kernels : new RandomKernels[] {CPU, SCALAR}) {
        kernels.uniform(out, 1, high, 3, 4);
        for (int i = 0; i < MANY; i++) {
          double value = get(out, i);
          assertTrue(value >= 1 && value < high, () -> "got " + value);
        }
      }
    }
  }

  @Test
  void bothFormsGiveTheSameBits() {
    try (var memory = new HostCaseMemory(0)) {
      Span a = memory.workspace(F32, 5001);
      Span b = memory.workspace(F32, 5001);
      CPU.normal(a, 0.5f, 2, 1, 2);
      SCALAR.normal(b, 0.5f, 2, 1, 2);
      assertSame(a, b);
      CPU.uniform(a, 0.5f, 2, 1, 2);
      SCALAR.uniform(b, 0.5f, 2, 1, 2);
      assertSame(a, b);
    }
  }

  private static void assertSame(Span a, Span b) {
    for (int i = 0; i < a.count(); i++) {
      assertEquals(get(a, i), get(b, i));
    }
  }

  @Test
  void seedAndStepMakeOtherNumbers() {
    try (var memory = new HostCaseMemory(0)) {
      Span a = memory.workspace(I32, 4);
      for (long[] key : new long[][] {{1, 0}, {0, 1}, {1L << 32, 0}, {0, 1L << 32}}) {
        Span b = memory.workspace(I32, 4);
        CPU.bits(a, 0, 0);
        CPU.bits(b, key[0], key[1]);
        for (int i = 0; i < 4; i++) {
          assertNotEquals(get(a, i), get(b, i));
        }
      }
    }
  }

  @Test
  void messages() {
    try (var memory = new HostCaseMemory(0)) {
      Span f32 = memory.workspace(F32, 8);
      Span bf16 = memory.workspace(BF16, 8);
      Span i32 = memory.workspace(I32, 8);
      Launches.rejects("out: got F32, expected I32", () -> CPU.bits(f32, 0, 0));
      Launches.rejects("out: got I32, expected F32 or BF16", () -> CPU.uniform(i32, 0, 1, 0, 0));
      String range = "low, high: got %s, %s, expected low < high and a finite distance";
      Launches.rejects(range.formatted("1.0", "1.0"), () -> CPU.uniform(f32, 1, 1, 0, 0));
      Launches.rejects(range.formatted("NaN", "1.0"), () -> CPU.uniform(f32, Float.NaN, 1, 0, 0));
      Launches.rejects(range.formatted("-3.0E38", "3.0E38"), () -> CPU.uniform(f32, -3e38f, 3e38f, 0, 0));
      Launches.rejects("out: got I32, expected F32 or BF16", () -> CPU.normal(i32, 0, 1, 0, 0));
      Launches.rejects(
          "deviation: got -1.0, expected 0.0 to 3.4028234663852886E38", () -> CPU.normal(f32, 0, -1, 0, 0));
      Launches.rejects(
          "mean: got NaN, expected -3.4028234663852886E38 to 3.4028234663852886E38",
          () -> CPU.normal(f32, Float.NaN, 1, 0, 0));
      Launches.rejects("out: got BF16, expected F32", () -> CPU.keep(bf16, 0.5f, 0, 0));
      Launches.rejects("keep: got 0.0, expected above 0 and at most 1", () -> CPU.keep(f32, 0, 0, 0));
      Launches.rejects("keep: got 1.5, expected above 0 and at most 1", () -> CPU.keep(f32, 1.5f, 0, 0));
    }
  }
}
