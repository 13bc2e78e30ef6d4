package dev.fovea.kernels.cpu;

import static dev.fovea.kernels.DType.BF16;
import static dev.fovea.kernels.DType.F32;
import static dev.fovea.kernels.DType.I32;
import static dev.fovea.kernels.DType.I64;
import static dev.fovea.kernels.DType.U8;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.fovea.kernels.Activation;
import dev.fovea.kernels.ElementwiseKernels;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.Sums;
import dev.fovea.kernels.contract.ElementwiseCases;
import dev.fovea.kernels.contract.HostCaseMemory;
import dev.fovea.kernels.contract.KernelCase;
import dev.fovea.kernels.contract.RowCases;
import dev.fovea.kernels.cpu.simd.Memory;
import java.lang.foreign.MemorySegment;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class ElementwiseContractTest {
  private static final CpuKernels CPU = CpuKernels.create(1);

  @TestFactory
  Stream<DynamicTest> contract() {
    return Devices.contract(cases());
  }

  @TestFactory
  Stream<DynamicTest> sameBitsOnAnyNumberOfThreads() {
    return Launches.sameBits(cases());
  }

  @Test
  void allocatesNothing() {
    Launches.allocatesNothing(cases());
  }

  private static Stream<KernelCase> cases() {
    return Stream.concat(ElementwiseCases.all(), RowCases.all());
  }

  @Test
  void specials() {
    double inf = Double.POSITIVE_INFINITY;
    try (var memory = new HostCaseMemory(0)) {
      ElementwiseKernels e = CPU.elementwise();
      Span x = memory.values(F32, 0x1p-149, -inf, Double.NaN, inf, 3);
      Span y = memory.values(F32, 0x1p-149, inf, 1, 1, Double.NaN);
      Span z = memory.workspace(F32, 5);
      e.combine(1, x, 1, y, z);
      assertValues(z, 0x1p-148, Double.NaN, Double.NaN, inf, Double.NaN);
      e.combine(2, x, 0, y, z);
      assertValues(z, 0x1p-148, -inf, Double.NaN, inf, 6);
      e.multiply(x, y, z);
      assertValues(z, 0, -inf, Double.NaN, inf, Double.NaN);
      e.activation(Activation.GELU_TANH, x, z);
      assertValues(z, 0, 0, Double.NaN, inf, 2.9963626861572266);
      e.activationGradient(Activation.SILU, x, y, z);
      assertEquals(Double.NaN, HostCaseMemory.get(z, 2));
      Span b = memory.values(BF16, 0, 0);
      e.fill(b, 0x1.01p0 + 0x1p-40);
      assertValues(b, 0x1p0, 0x1p0);
    }
  }

  @Test
  void activationsOfEveryBf16HaveTheBitsOfFloats() {
    int count = 1 << 16;
    try (var memory = new HostCaseMemory(0)) {
      ElementwiseKernels e = CPU.elementwise();
      Span x = memory.workspace(BF16, count);
      Span y = memory.workspace(BF16, count);
      Span floats = memory.workspace(F32, count);
      Span rounded = memory.workspace(BF16, count);
      for (int i = 0; i < count; i++) {
        Memory.ALL.set(JAVA_SHORT, x.address() + 2L * i, (short) i);
      }
      for (Activation f : Activation.values()) {
        e.activation(f, x, y);
        e.activation(f, x, floats);
        e.cast(floats, rounded);
        assertEquals(-1, bytes(rounded).mismatch(bytes(y)), f.toString());
      }
    }
  }

  @Test
  void slopesAtEveryBf16HaveTheBitsOfFloats() {
    int count = (1 << 16) + 7;
    try (var memory = new HostCaseMemory(0)) {
      ElementwiseKernels e = CPU.elementwise();
      Span x = memory.workspace(BF16, count);
      Span dy = memory.normal(BF16, count, 1);
      Span dx = memory.workspace(BF16, count);
      Span floats = memory.workspace(F32, count);
      Span rounded = memory.workspace(BF16, count);
      for (int i = 0; i < count; i++) {
        Memory.ALL.set(JAVA_SHORT, x.address() + 2L * i, (short) i);
      }
      for (Activation f : Activation.values()) {
        e.activationGradient(f, x, dy, dx);
        e.activationGradient(f, x, dy, floats);
        e.cast(floats, rounded);
        assertEquals(-1, bytes(rounded).mismatch(bytes(dx)), f.toString());
      }
      e.activationGradient(Activation.TANH, x, dy, dy);
      assertEquals(-1, bytes(rounded).mismatch(bytes(dy)));
    }
  }

  private static MemorySegment bytes(Span x) {
    return Memory.ALL.asSlice(x.address(), 2 * x.count());
  }

  private static void assertValues(Span got, double... expected) {
    for (int i = 0; i < expected.length; i++) {
      assertEquals(expected[i], HostCaseMemory.get(got, i), "at " + i);
    }
  }

  @Test
  void nothingIsNoWork() {
    Span none = new Span(0, 0, F32);
    CPU.elementwise().fill(none, 1);
    CPU.elementwise().multiply(none, none, none);
  }

  @Test
  void saysWhatIsWrong() {
    try (var memory = new HostCaseMemory(0)) {
      ElementwiseKernels e = CPU.elementwise();
      Span x = memory.normal(F32, 12, 1);
      Span y = memory.normal(F32, 12, 1);
      Span six = memory.normal(F32, 6, 1);
      Span integers = memory.workspace(I32, 12);
      Launches.rejects("value: got 256.0, expected 0.0 to 255.0", () -> e.fill(memory.workspace(U8, 1), 256));
      Launches.rejects("value: got NaN, expected -2.147483648E9 to 2.147483647E9", () -> e.fill(integers, Double.NaN));
      Launches.rejects(
          "value: got 9.223372036854776E18, expected -9.223372036854776E18 to 9.223372036854775E18",
          () -> e.fill(memory.workspace(I64, 1), 0x1p63));
      Launches.rejects("y: got null, expected a span because beta is 2.0", () -> e.combine(1, x, 2, null, y));
      Launches.rejects("z: got 6 elements, expected 12 as in x", () -> e.combine(1, x, 0, null, six));
      Launches.rejects("y: got 6 elements, expected 12 as in x", () -> e.multiply(x, six, y));
      Launches.rejects("x: got I32, expected F32 or BF16", () -> e.activation(Activation.SILU, integers, x));
      Launches.rejects(
          "dx: got I32, expected F32 or BF16", () -> e.activationGradient(Activation.SILU, x, y, integers));
      Launches.rejects("row: got 6 elements, expected at least 12", () -> e.addRow(1, 12, x, six, y));
      Launches.rejects("rows: got 0, expected at least 1", () -> e.addRow(0, 12, x, six, y));
      Launches.rejects("columns: got 0, expected at least 1", () -> e.copy(1, 0, x, 1, y, 1));
      Launches.rejects("x: got 6 elements, expected at least 8", () -> e.swiglu(1, 4, six, y));
      Launches.rejects("y: overlaps x, expected its own memory", () -> e.swiglu(2, 3, x, x.from(3)));
      Launches.rejects(
          "rowScale: got 6 elements, expected at least 12", () -> e.residual(12, 1, x, y, null, six, 1, y));
      Launches.rejects("rowsPerScale: got 0, expected at least 1", () -> e.residual(12, 1, x, y, null, six, 0, y));
      Launches.rejects(
          "branch: got null, expected a span because of dColumnScale",
          () -> e.residualGradient(2, 6, x, null, null, null, 1, y, Sums.into(six)));
      Launches.rejects("y: got F32, expected I32 as in x", () -> e.copy(1, 2, integers, 2, x, 2));
      Launches.rejects("y: got leading dimension 1, expected at least 2", () -> e.copy(3, 2, x, 2, y, 1));
      Launches.rejects(
          "y: got I32, expected F32 or, from a floating dtype, another; x is F32", () -> e.cast(x, integers));
    }
  }
}
