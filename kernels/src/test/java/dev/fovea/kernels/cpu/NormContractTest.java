package dev.fovea.kernels.cpu;

import static dev.fovea.kernels.DType.BF16;
import static dev.fovea.kernels.DType.F32;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.fovea.kernels.Norm;
import dev.fovea.kernels.NormKernels;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.Sums;
import dev.fovea.kernels.contract.HostCaseMemory;
import dev.fovea.kernels.contract.NormCases;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class NormContractTest {
  private static final CpuKernels CPU = CpuKernels.create(1);

  @TestFactory
  Stream<DynamicTest> contract() {
    return Devices.contract(NormCases.all());
  }

  @TestFactory
  Stream<DynamicTest> sameBitsOnAnyNumberOfThreads() {
    return Launches.sameBits(NormCases.all());
  }

  @Test
  void allocatesNothing() {
    // A pair is two calls, with spans of their own.
    Launches.allocatesNothing(NormCases.all().filter(c -> !c.kernel().equals("norm.backwardPair")));
  }

  @Test
  void specials() {
    double nan = Double.NaN;
    try (var memory = new HostCaseMemory(0)) {
      Span x = memory.values(F32, 5, 5, 5, 5, 1, nan, 1, 1, 0, 0, 0, Double.POSITIVE_INFINITY);
      Span y = memory.workspace(F32, 12);
      CPU.norm().forward(Norm.layer(3, 4, 1e-6f), x, 4, null, null, y, 4, null);
      double[] expected = {0, 0, 0, 0, nan, nan, nan, nan, nan, nan, nan, nan};
      for (int i = 0; i < 12; i++) {
        assertEquals(expected[i], HostCaseMemory.get(y, i), "at " + i);
      }
    }
  }

  @Test
  void saysWhatIsWrong() {
    try (var memory = new HostCaseMemory(0)) {
      NormKernels n = CPU.norm();
      Norm norm = new Norm(2, 3, 4, 0, true);
      Span x = memory.normal(F32, 24, 1);
      Span y = memory.normal(F32, 24, 1);
      Span few = memory.normal(F32, 3, 1);
      Span half = memory.normal(BF16, 24, 1);
      Launches.rejects(
          "x: got leading dimension 11, expected at least 12", () -> n.forward(norm, x, 11, null, null, y, 12, null));
      Launches.rejects(
          "x: got 24 elements, expected at least 25", () -> n.forward(norm, x, 13, null, null, y, 12, null));
      Launches.rejects(
          "weight: got 3 elements, expected at least 4", () -> n.forward(norm, x, 12, few, null, y, 12, null));
      Launches.rejects(
          "bias: got 3 elements, expected at least 4", () -> n.forward(norm, x, 12, null, few, y, 12, null));
      Launches.rejects(
          "y: got 3 elements, expected at least 24", () -> n.forward(norm, x, 12, null, null, few, 12, null));
      Launches.rejects("stats: got BF16, expected F32", () -> n.forward(norm, x, 12, null, null, y, 12, half));
      Launches.rejects(
          "stats: got 3 elements, expected at least 12",
          () -> n.backward(norm, x, 12, null, few, y, 12, null, y, 12, null, null));
      Launches.rejects(
          "dWeight: got BF16, expected F32",
          () -> n.backward(norm, x, 12, null, x, y, 12, null, y, 12, Sums.into(half), null));
      Launches.rejects(
          "dBias: got 3 elements, expected at least 4",
          () -> n.backward(norm, x, 12, null, x, y, 12, null, y, 12, null, Sums.into(few)));
      Norm one = new Norm(1, 3, 4, 0, true);
      Launches.rejects(
          "lddx: got 13, expected 12 as lddy because dx is dy",
          () -> n.backward(one, x, 12, null, x, y, 12, null, y, 13, null, null));
    }
  }
}
