package dev.fovea.kernels.cpu;

import static dev.fovea.kernels.DType.F32;
import static dev.fovea.kernels.DType.I32;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.fovea.kernels.Attention;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.contract.AttentionCases;
import dev.fovea.kernels.contract.HostCaseMemory;
import dev.fovea.kernels.contract.Tolerance;
import dev.fovea.kernels.cpu.simd.Simd;
import java.lang.management.ManagementFactory;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

class AttentionContractTest {
  private static final CpuKernels CPU = CpuKernels.create(1);

  @TestFactory
  Stream<DynamicTest> contract() {
    return Devices.contract(AttentionCases.all());
  }

  @TestFactory
  Stream<DynamicTest> sameBitsOnAnyNumberOfThreads() {
    return Launches.sameBits(AttentionCases.all().filter(c -> c.shape().matches("[234]x.*|fused.*|1x2.*(64|72).*")));
  }

  @Test
  void allocatesNothing() {
    Launches.allocatesNothing(AttentionCases.all().filter(c -> c.shape().startsWith("4x2")));
  }

  /** A NaN spoils the query it stands in, the head whose key it stands in, or its column of the values. */
  @Test
  void nanSpreadsAsFarAsAttentionDoes() {
    int tokens = 70;
    for (int where = 0; where < 3; where++) {
      try (var memory = new HostCaseMemory(where)) {
        Span qkv = memory.normal(F32, tokens * 3 * 8L, 1);
        HostCaseMemory.set(qkv, 69 * 24 + where * 8 + 5, Double.NaN);
        Span o = memory.workspace(F32, tokens * 8L);
        Span lse = memory.workspace(F32, tokens * 2L);
        CPU.attention()
            .forward(new Attention(1, 2, tokens, tokens, 4).qkv(qkv, 24).o(o, 8).lse(lse));
        for (int i = 0; i < tokens; i++) {
          for (int c = 0; c < 8; c++) {
            boolean spoilt = c >= 4 && (where == 0 ? i == 69 : where == 1 || c == 5);
            String what = "NaN in operand %d, query %d, column %d".formatted(where, i, c);
            assertEquals(spoilt, Double.isNaN(HostCaseMemory.get(o, i * 8L + c)), what);
          }
          assertEquals(where == 1 || where == 0 && i == 69, Double.isNaN(HostCaseMemory.get(lse, tokens + i)));
        }
      }
    }
  }

  /** Logits of -infinity weigh nothing, and keys past the length are not even read. */
  @Test
  void keysThatDoNotCount() {
    int keys = 40;
    try (var memory = new HostCaseMemory(3)) {
      Span k = memory.normal(F32, keys, 1);
      Span v = memory.normal(F32, keys, 1);
      HostCaseMemory.set(k, 4, Double.NEGATIVE_INFINITY);
      for (int i = 5; i < keys; i++) {
        HostCaseMemory.set(k, i, Double.NaN);
        HostCaseMemory.set(v, i, Double.NaN);
      }
      Span o = memory.values(F32, 0, 0);
      Span lse = memory.values(F32, 0, 0);
      Attention call =
          new Attention(1, 1, 1, keys, 1).q(memory.values(F32, 2), 1).k(k, 1).v(v, 1);
      CPU.attention().forward(call.lengths(memory.values(I32, 4)).o(o, 1).lse(lse));
      CPU.attention()
          .forward(call.lengths(memory.values(I32, 5)).o(o.from(1), 1).lse(lse.from(1)));
      assertEquals(HostCaseMemory.get(o, 0), HostCaseMemory.get(o, 1));
      assertEquals(HostCaseMemory.get(lse, 0), HostCaseMemory.get(lse, 1));
      assertTrue(Double.isFinite(HostCaseMemory.get(o, 0)));
      Span dk = memory.normal(F32, keys, 1);
      Span dv = memory.normal(F32, keys, 1);
      call.lengths(memory.values(I32, 4)).dO(memory.values(F32, 1), 1);
      CPU.attention()
          .backward(call.o(o, 1).lse(lse).dq(memory.values(F32, 0), 1).dk(dk, 1).dv(dv, 1));
      for (int i = 4; i < keys; i++) {
        assertEquals(0, HostCaseMemory.get(dk, i));
        assertEquals(0, HostCaseMemory.get(dv, i));
      }
    }
  }

  /** 1,000 queries by 20,000 keys would be 80 MB of logits. In plain Java, where vectors are no objects. */
  @Test
  void workspaceIsLinearInTokens() {
    int queries = 1000;
    int keys = 20_000;
    var threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    try (var memory = new HostCaseMemory(4);
        var plain = CpuKernels.create(1, Simd.scalar())) {
      Span o = memory.workspace(F32, queries * 4L);
      Span ones = memory.workspace(F32, keys * 4L);
      for (int i = 0; i < ones.count(); i++) {
        HostCaseMemory.set(ones, i, 1);
      }
      Attention call = new Attention(1, 1, queries, keys, 4)
          .q(memory.normal(F32, queries * 4L, 1), 4)
          .k(memory.normal(F32, keys * 4L, 1), 4)
          .v(ones, 4)
          .o(o, 4)
          .lse(memory.workspace(F32, queries))
          .dO(memory.normal(F32, queries * 4L, 1), 4)
          .dq(memory.workspace(F32, queries * 4L), 4)
          .dk(memory.workspace(F32, keys * 4L), 4)
          .dv(memory.workspace(F32, keys * 4L), 4);
      long before = threads.getCurrentThreadAllocatedBytes();
      plain.attention().forward(call);
      plain.attention().backward(call);
      long allocated = threads.getCurrentThreadAllocatedBytes() - before;
      assertTrue(allocated < 4 << 20, () -> allocated + " bytes");
      double mass = 0;
      for (int i = 0; i < o.count(); i++) {
        assertEquals(1, HostCaseMemory.get(o, i), 2 * Math.sqrt(keys) * Tolerance.U);
        mass += HostCaseMemory.get(call.dO().span(), i);
      }
      for (int i = 0; i < ones.count(); i++) {
        mass -= HostCaseMemory.get(call.dv().span(), i);
      }
      assertEquals(0, mass, 0.01, "weights of a query add up to 1, so dv has the sum of dO");
    }
  }

  @Test
  void saysWhatIsWrong() {
    try (var memory = new HostCaseMemory(0)) {
      Span a = memory.normal(F32, 48, 1);
      Span b = memory.normal(F32, 48, 1);
      Span integers = memory.workspace(I32, 48);
      rejects("q: not set, expected a span", new Attention(1, 2, 3, 4, 5));
      rejects("q: got leading dimension 9, expected at least 10", new Attention(1, 2, 3, 4, 5).q(a, 9));
      rejects("q: got I32, expected F32 or BF16", new Attention(1, 2, 3, 4, 5).q(integers, 10));
      rejects(
          "k: got 48 elements, expected at least 55",
          new Attention(1, 2, 3, 4, 5).q(a, 10).k(a, 15));
      rejects("o: not set, expected a span", inputs(a));
      rejects("o: overlaps q, expected its own memory", inputs(a).o(a, 2));
      rejects("o: overlaps k, expected its own memory", inputs(a).k(b, 2).o(b.from(7), 2));
      rejects("lse: got I32, expected F32", inputs(a).o(b, 2).lse(integers));
      rejects("lse: got 5 elements, expected at least 6", inputs(a).o(b, 2).lse(b.slice(8, 5)));
      rejects("lse: overlaps o, expected its own memory", inputs(a).o(b, 2).lse(b.slice(5, 6)));
      rejects("lengths: got F32, expected I32", inputs(a).o(b, 2).lengths(b));
      rejects("lengths: got 0 elements, expected at least 1", inputs(a).o(b, 2).lengths(integers.slice(0, 0)));
      Attention back = inputs(a).o(a, 2).dO(a, 2);
      Launches.rejects(
          "lse: not set, expected what forward wrote", () -> CPU.attention().backward(back));
      back.lse(a);
      Launches.rejects(
          "dk: overlaps v, expected its own memory",
          () -> CPU.attention()
              .backward(back.dq(b, 2).v(b.from(20), 2).dk(b.from(20), 2).dv(b.from(30), 2)));
      Launches.rejects(
          "dq: overlaps dk, expected its own memory",
          () -> CPU.attention()
              .backward(
                  inputs(a).o(a, 2).dO(a, 2).lse(a).dq(b, 3).dk(b.from(2), 3).dv(b.from(30), 2)));
      Launches.rejects(
          "p: got 47 elements, expected at least 48",
          () -> CPU.attention()
              .weights(new Attention(1, 2, 4, 6, 1).q(a, 2).k(a, 2).lse(a), b.slice(0, 47)));
      Launches.rejects(
          "p: overlaps lse, expected its own memory",
          () -> CPU.attention()
              .weights(new Attention(1, 2, 3, 4, 1).q(a, 2).k(a, 2).lse(b.from(20)), b));
    }
  }

  /** Columns of one buffer do not overlap, however they interleave. */
  @Test
  void operandsMayInterleave() {
    try (var memory = new HostCaseMemory(0)) {
      Span all = memory.normal(F32, 5 * 16, 1);
      Span lse = memory.workspace(F32, 10);
      Attention call =
          new Attention(1, 2, 5, 5, 2).q(all, 16).k(all.from(4), 16).v(all.from(8), 16);
      CPU.attention().forward(call.o(all.from(12), 16).lse(lse));
      assertTrue(Double.isFinite(HostCaseMemory.get(all, 79)));
    }
  }

  private static Attention inputs(Span span) {
    return new Attention(1, 2, 3, 4, 1).q(span, 2).k(span.from(10), 2).v(span.from(20), 2);
  }

  private static void rejects(String message, Attention call) {
    Launches.rejects(message, () -> CPU.attention().forward(call));
  }
}
