package dev.fovea.kernels.cpu;

import static dev.fovea.kernels.DType.BF16;
import static dev.fovea.kernels.DType.F32;
import static dev.fovea.kernels.DType.I32;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.fovea.kernels.Span;
import dev.fovea.kernels.Sums;
import dev.fovea.kernels.TokenKernels;
import dev.fovea.kernels.contract.HostCaseMemory;
import dev.fovea.kernels.contract.TokenCases;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class TokenContractTest {
  private static final TokenKernels TOKEN = CpuKernels.create(1).token();

  @TestFactory
  Stream<DynamicTest> contract() {
    return Devices.contract(TokenCases.all());
  }

  @TestFactory
  Stream<DynamicTest> sameBitsOnAnyNumberOfThreads() {
    return Launches.sameBits(TokenCases.all());
  }

  @Test
  void allocatesNothing() {
    Launches.allocatesNothing(TokenCases.all());
  }

  @Test
  void specialsPassThrough() {
    try (var memory = new HostCaseMemory(0)) {
      double inf = Double.POSITIVE_INFINITY;
      Span x = memory.values(BF16, Double.NaN, -inf, inf, -0.0, 0x1p-133, 1);
      Span index = memory.values(I32, 2, 0, 1);
      Span out = memory.workspace(BF16, 6);
      TOKEN.gather(3, 2, x, index, out);
      double[] wanted = {0x1p-133, 1, Double.NaN, -inf, inf, -0.0};
      for (int i = 0; i < 6; i++) {
        assertEquals(wanted[i], HostCaseMemory.get(out, i));
      }
      Span mean = memory.workspace(F32, 2);
      TOKEN.meanPool(1, 3, 2, 1, x, null, mean);
      assertEquals(inf, HostCaseMemory.get(mean, 0));
      assertEquals(0.5, HostCaseMemory.get(mean, 1));
    }
  }

  @Test
  void equalIndicesAddInOrder() {
    try (var memory = new HostCaseMemory(0)) {
      Span x = memory.values(F32, 1, 0x1p-24, 0x1p-24);
      Span out = memory.values(F32, 7, 0);
      TOKEN.scatterAdd(3, 1, x, memory.values(I32, 1, 1, 1), out);
      assertEquals(1, HostCaseMemory.get(out, 1), "(1 + 2^-24) + 2^-24 in F32");
      Span other = memory.values(F32, 7, 0);
      TOKEN.scatterAdd(3, 1, memory.values(F32, 0x1p-24, 0x1p-24, 1), memory.values(I32, 1, 1, 1), other);
      assertEquals(1 + 0x1p-23, HostCaseMemory.get(other, 1));
      assertEquals(7, HostCaseMemory.get(other, 0));
    }
  }

  @Test
  void badIndicesWriteNothing() {
    try (var memory = new HostCaseMemory(0)) {
      Span x = memory.values(F32, 1, 2, 3);
      Span high = memory.values(I32, 0, 3);
      Span low = memory.values(I32, 0, -1);
      Span out = memory.values(F32, 8, 9);
      Launches.rejects("index: got 3 in row 1, expected 0 to 2", () -> TOKEN.gather(2, 1, x, high, out));
      Launches.rejects("index: got -1 in row 1, expected 0 to 2", () -> TOKEN.gather(2, 1, x, low, out));
      Launches.rejects("index: got 3 in row 1, expected 0 to 1", () -> TOKEN.scatterAdd(2, 1, x, high, out));
      Launches.rejects("lengths: got 0 in row 0, expected 1 to 1", () -> TOKEN.meanPool(2, 1, 1, 0, x, low, out));
      Launches.rejects(
          "lengths: got 0 in row 0, expected 1 to 1", () -> TOKEN.meanPoolGradient(2, 1, 1, 0, x, low, out));
      assertEquals(8, HostCaseMemory.get(out, 0));
      assertEquals(9, HostCaseMemory.get(out, 1));
    }
  }

  @Test
  void saysWhatIsWrongWithAssemblies() {
    try (var memory = new HostCaseMemory(0)) {
      Span x = memory.normal(F32, 12, 1);
      Span out = memory.workspace(F32, 16);
      Span small = memory.workspace(F32, 3);
      Span integers = memory.workspace(I32, 16);
      Launches.rejects("batch: got 0, expected at least 1", () -> TOKEN.assemble(0, 0, 3, 4, x, null, null, out));
      Launches.rejects("prefixes: got -1, expected at least 0", () -> TOKEN.assemble(1, -1, 3, 4, x, null, null, out));
      Launches.rejects("prefix: got null, expected 1 tokens", () -> TOKEN.assemble(1, 1, 3, 4, x, null, null, out));
      Launches.rejects(
          "prefix: got 3 elements, expected at least 4", () -> TOKEN.assemble(1, 1, 3, 4, x, small, null, out));
      Launches.rejects(
          "positions: got 3 elements, expected 12 or 16",
          () -> TOKEN.assemble(1, 1, 3, 4, x, memory.workspace(F32, 4), small, out));
      Launches.rejects(
          "patches: got 12 elements, expected at least 16", () -> TOKEN.assemble(1, 0, 4, 4, x, null, null, out));
      Launches.rejects("out: got I32, expected F32 or BF16", () -> TOKEN.assemble(1, 0, 3, 4, x, null, null, integers));
      Launches.rejects(
          "out: overlaps patches, expected its own memory", () -> TOKEN.assemble(1, 0, 3, 4, x, null, null, x));
      Launches.rejects(
          "dOut: got 12 elements, expected at least 16", () -> TOKEN.assembleGradient(1, 1, 3, 4, x, null, null, null));
      Launches.rejects(
          "dPrefix: got I32, expected F32",
          () -> TOKEN.assembleGradient(1, 1, 3, 4, out, null, Sums.into(integers), null));
      Launches.rejects(
          "dPositions: got 3 elements, expected 12 or 16",
          () -> TOKEN.assembleGradient(1, 1, 3, 4, out, null, null, Sums.into(small)));
    }
  }

  @Test
  void saysWhatIsWrongWithRowsAndPools() {
    try (var memory = new HostCaseMemory(0)) {
      Span x = memory.normal(F32, 12, 1);
      Span out = memory.workspace(F32, 12);
      Span halves = memory.workspace(BF16, 12);
      Span index = memory.values(I32, 0, 0);
      Launches.rejects("rows: got -1, expected at least 0", () -> TOKEN.gather(-1, 1, x, index, out));
      Launches.rejects("width: got 0, expected at least 1", () -> TOKEN.gather(1, 0, x, index, out));
      Launches.rejects("index: got 2 elements, expected at least 3", () -> TOKEN.gather(3, 1, x, index, out));
      Launches.rejects("index: got F32, expected I32", () -> TOKEN.scatterAdd(1, 1, x, x, out));
      Launches.rejects("out: got BF16, expected F32 as x", () -> TOKEN.gather(1, 1, x, index, halves));
      Launches.rejects("out: got 12 elements, expected at least 14", () -> TOKEN.gather(2, 7, x, index, out));
      Launches.rejects("out: overlaps x, expected its own memory", () -> TOKEN.gather(2, 2, x, index, x));
      Launches.rejects("x: got 12 elements, expected at least 14", () -> TOKEN.scatterAdd(2, 7, x, index, out));
      Launches.rejects("out: got I32, expected F32 or BF16", () -> TOKEN.scatterAdd(1, 1, x, index, index));
      Launches.rejects("first: got 3, expected 0 to 2", () -> TOKEN.meanPool(1, 3, 4, 3, x, null, out));
      Launches.rejects("x: got 12 elements, expected at least 24", () -> TOKEN.meanPool(2, 3, 4, 0, x, null, out));
      Launches.rejects("lengths: got 2 elements, expected at least 3", () -> TOKEN.meanPool(3, 1, 4, 0, x, index, out));
      Launches.rejects(
          "dx: got 12 elements, expected at least 16", () -> TOKEN.meanPoolGradient(1, 4, 4, 0, x, null, out));
    }
  }
}
