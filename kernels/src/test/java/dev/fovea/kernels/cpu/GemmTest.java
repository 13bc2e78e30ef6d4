package dev.fovea.kernels.cpu;

import static dev.fovea.kernels.DType.BF16;
import static dev.fovea.kernels.DType.F32;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.kernels.Activation;
import dev.fovea.kernels.DType;
import dev.fovea.kernels.Gemm;
import dev.fovea.kernels.Gemm.QkNorm;
import dev.fovea.kernels.GemmKernels;
import dev.fovea.kernels.Layout;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.Sums;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/** What the contract's cases do not show: threads, passes, special values, garbage, and refusals in words. */
class GemmTest {
  private static final CpuKernels ONE = CpuKernels.create(1);
  private static final CpuKernels THREE = CpuKernels.create(3);
  private static final Arena ARENA = Arena.ofShared();

  @AfterAll
  static void close() {
    ONE.close();
    THREE.close();
    ARENA.close();
  }

  @Test
  void sameBitsOnAnyNumberOfThreads() {
    for (Layout layout : Layout.values()) {
      assertArrayEquals(sums(ONE, layout, 410, 300, 333), sums(THREE, layout, 410, 300, 333));
      // blocks of one thread pack their own rows, those of three are too narrow for that
      assertArrayEquals(sums(ONE, layout, 410, 1300, 500), sums(THREE, layout, 410, 1300, 500));
    }
    assertArrayEquals(sums(ONE, Layout.TN, 40, 50, 9000), sums(THREE, Layout.TN, 40, 50, 9000));
  }

  /** C and both kinds of sums. */
  private static float[] sums(CpuKernels kernels, Layout layout, int m, int n, int k) {
    Span c = zeros(m * n + n + m);
    Gemm call = product(layout, m, n, k).c(c.slice(0, m * n), n).columnSums(Sums.into(c.slice(m * n, n)));
    if (layout == Layout.TN) {
      call.operandSums(Sums.into(c.slice(m * n + n, m)));
    }
    kernels.gemm().run(call);
    return floats(c);
  }

  @Test
  void twoCallersAtOnce() throws InterruptedException {
    float[] expected = sums(ONE, Layout.NT, 130, 200, 150);
    AtomicReference<float[]> other = new AtomicReference<>();
    Thread thread = new Thread(() -> other.set(sums(THREE, Layout.NT, 130, 200, 150)));
    thread.start();
    float[] here = sums(THREE, Layout.NT, 130, 200, 150);
    thread.join();
    assertArrayEquals(expected, here);
    assertArrayEquals(expected, other.get());
  }

  @Test
  void severalPassesGiveTheBitsOfOne() {
    int k = 8192;
    int m = 620;
    int n = 200;
    Span c = zeros(m * n);
    Gemm whole = product(Layout.NT, m, n, k).c(c, n);
    THREE.gemm().run(whole);
    Span last = zeros(4 * n);
    THREE
        .gemm()
        .run(new Gemm(Layout.NT, 4, n, k)
            .a(whole.a().from(616L * k), k)
            .b(whole.b(), k)
            .c(last, n));
    assertArrayEquals(floats(c.slice(616 * n, 4 * n)), floats(last));
  }

  @Test
  void notANumberAndInfinityStayInTheirRowsAndColumns() {
    int size = 40;
    Gemm call = product(Layout.NN, size, size, size).c(zeros(size * size), size);
    set(call.a(), 3 * size + 5, Float.NaN);
    set(call.b(), 7 * size + 2, Float.POSITIVE_INFINITY);
    set(call.b(), 9, Float.MIN_VALUE);
    ONE.gemm().run(call);
    float[] c = floats(call.c());
    for (int i = 0; i < size; i++) {
      for (int j = 0; j < size; j++) {
        assertEquals(i == 3, Float.isNaN(c[i * size + j]), "row " + i + ", column " + j);
        assertEquals(i != 3 && j == 2, Float.isInfinite(c[i * size + j]), "row " + i + ", column " + j);
      }
    }
  }

  @Test
  void packingNeedsSize() {
    GemmKernels gemm = ONE.gemm();
    assertTrue(gemm.packedBytes(Layout.NT, 10, 7) >= 10 * 7 * 4);
    refused("layout: got TN, expected NN or NT, whose B is a weight", () -> gemm.packedBytes(Layout.TN, 10, 7));
    refused("k: got 0, expected at least 1", () -> gemm.packedBytes(Layout.NT, 10, 0));
    Span b = zeros(70);
    long needed = gemm.packedBytes(Layout.NT, 10, 7) / 4;
    refused("packed: got 5 elements, expected at least " + needed, () -> gemm.pack(Layout.NT, 10, 7, b, 7, zeros(5)));
    Span room = zeros(needed + 1);
    refused("b: got leading dimension 6, expected at least 7", () -> gemm.pack(Layout.NT, 10, 7, b, 6, room));
    String address = "packed: got address 0x%x, expected a multiple of 64".formatted(room.address() + 4);
    refused(address, () -> gemm.pack(Layout.NT, 10, 7, b, 7, room.from(1)));
    refused("packed: overlaps b, expected its own memory", () -> gemm.pack(Layout.NT, 10, 7, room, 7, room));
  }

  @Test
  void operandsAreChecked() {
    Span big = zeros(10_000);
    refused("a: not set, expected a span", () -> ONE.gemm().run(new Gemm(Layout.NN, 2, 3, 4)));
    refused("b: not set, expected a span", () -> ONE.gemm().run(new Gemm(Layout.NN, 2, 3, 4).a(zeros(8), 4)));
    refused("c: not set, expected a span", () -> ONE.gemm().run(product(Layout.NN, 20, 30, 40)));
    refused("a: got leading dimension 39, expected at least 40", g -> g.a(big, 39));
    refused("a: got 799 elements, expected at least 800", g -> g.a(zeros(799), 40));
    refused("a: got I32, expected F32 or BF16", g -> g.a(new Span(64, 4000, DType.I32), 40));
    refused("splitK: got 40, expected 1 to 39", g -> g.a(big, 40, big, 40, 40));
    refused("a2: got leading dimension 9, expected at least 10", g -> g.a(big, 40, big, 9, 30));
    refused("b: got 1199 elements, expected at least 1200", g -> g.b(zeros(1199), 30));
    refused("b: got BF16, expected F32", g -> g.packedB(new Span(64, 1 << 20, BF16)));
    refused("splitN: got 0, expected 1 to 29", g -> g.c(zeros(600), 30, big, 30, 0));
    refused("c2: got 1 elements, expected at least 391", g -> g.c(zeros(600), 30, zeros(1), 20, 19));
    refused("bias length: got 31, expected 0 to 30", g -> g.bias(zeros(31)));
    refused("preColumns: got 31, expected 1 to 30", g -> g.pre(big, 31, 31));
    refused("pre: got leading dimension 29, expected at least 30", g -> g.pre(zeros(600), 29, 30));
    refused("activationColumns: got 31, expected 1 to 30", g -> g.activation(Activation.TANH, 31));
    refused(
        "saved: got 5 elements, expected at least 600", g -> g.activationGradient(Activation.TANH, 30, zeros(5), 30));
    refused("columnScale: got 29 elements, expected at least 30", g -> g.columnScale(zeros(29)));
    refused("rowsPerScale: got 0, expected at least 1", g -> g.rowScale(zeros(9), 0));
    refused("rowScale: got 6 elements, expected at least 7", g -> g.rowScale(zeros(6), 3));
    refused("rowScale: got BF16, expected F32", g -> g.rowScale(new Span(64, 40, BF16), 1));
    refused("residual: got 599 elements, expected at least 600", g -> g.residual(zeros(599), 30));
    refused("columnSums: got 0 elements, expected at least 1", g -> g.columnSums(Sums.into(new Span(64, 0, F32))));
    refused("operandSums: got layout NN, expected TN", g -> g.operandSums(Sums.into(zeros(20))));
    Gemm tn = product(Layout.TN, 20, 30, 40).c(zeros(600), 30);
    refused(
        "operandSums: got 19 elements, expected at least 20",
        () -> ONE.gemm().run(tn.operandSums(Sums.into(zeros(19)))));
    Gemm parts = product(Layout.TN, 20, 30, 40).c(zeros(600), 30).a(big, 20, big, 20, 20);
    refused("splitM: got 20, expected 1 to 19", () -> ONE.gemm().run(parts));
    parts.a(big, 20, big, 20, 3).b(big, 30, big, 30, 0);
    refused("splitB: got 0, expected 1 to 29", () -> ONE.gemm().run(parts));
    parts.b(big, 30, big, 30, 7).bias(zeros(30));
    refused(
        "epilogue: got more than alpha, accumulate and operandSums,"
            + " expected these for operands in two parts in layout TN",
        () -> ONE.gemm().run(parts));
    refused("b2: got B in two parts in layout NN, expected TN", g -> g.b(big, 30, big, 30, 7));
  }

  @Test
  void headsAreChecked() {
    refused("qkNorm.heads: got 0, expected at least 1", g -> g.qkNorm(heads(0, 0, 4, 4, null)));
    refused("qkNorm.headDim: got 0, expected at least 1", g -> g.qkNorm(heads(0, 1, 0, 4, null)));
    refused("qkNorm: got columns [15, 31), expected a part of [0, 30)", g -> g.qkNorm(heads(15, 2, 4, 4, null)));
    refused("qkNorm: got columns [-1, 7), expected a part of [0, 30)", g -> g.qkNorm(heads(-1, 1, 4, 4, null)));
    refused(
        "qkNorm.begin: got 8, expected at least 9, behind the activation's columns",
        g -> g.activation(Activation.SILU, 9).qkNorm(heads(8, 2, 4, 4, null)));
    refused("qkNorm.queryWeight: got 3 elements, expected at least 4", g -> g.qkNorm(heads(0, 2, 4, 3, null)));
    refused("qkNorm.queryStats: got 79 elements, expected at least 80", g -> g.qkNorm(heads(0, 2, 4, 4, zeros(79))));
    ONE.gemm().run(valid().activation(Activation.NONE, 30).qkNorm(heads(8, 2, 4, 4, zeros(80))));
  }

  private static QkNorm heads(int begin, int heads, int headDim, int weights, Span stats) {
    return new QkNorm(begin, heads, headDim, 1e-6f, true, zeros(weights), null, zeros(weights), null, stats, null);
  }

  @Test
  void onlyTheResidualMayBeC() {
    refused("c: overlaps a, expected its own memory", g -> g.c(g.a(), 30));
    refused("c: overlaps b, expected its own memory", g -> g.c(g.b().from(100), 30));
    refused("c: overlaps pre, expected its own memory", g -> g.pre(g.c(), 30, 30));
    refused("c: overlaps saved, expected its own memory", g -> g.activationGradient(Activation.SILU, 30, g.c(), 30));
    refused("c: overlaps residual, expected its own memory", g -> {
      Span wide = zeros(40 * 20);
      g.c(wide, 30).residual(wide, 40);
    });
    refused("c: overlaps c2, expected its own memory", g -> g.c(g.c(), 30, g.c().from(10), 10, 20));
    refused(
        "columnSums: overlaps bias, expected its own memory",
        g -> g.bias(zeros(30)).columnSums(Sums.into(g.bias())));
    Gemm inPlace = valid();
    ONE.gemm().run(inPlace.residual(inPlace.c(), 30));
    Span both = zeros(2000);
    Gemm neighbours = product(Layout.NN, 20, 30, 40);
    ONE.gemm().run(neighbours.a(both.from(600), 40).c(both, 30)); // c's span reaches over a, c does not
  }

  private static void refused(String message, Consumer<Gemm> change) {
    Gemm call = valid();
    float[] before = floats(call.c());
    Span c = call.c();
    change.accept(call);
    refused(message, () -> ONE.gemm().run(call));
    assertArrayEquals(before, floats(c));
  }

  private static void refused(String message, Runnable call) {
    assertEquals(
        message, assertThrows(IllegalArgumentException.class, call::run).getMessage());
  }

  private static Gemm valid() {
    return product(Layout.NN, 20, 30, 40).c(zeros(600), 30);
  }

  private static Gemm product(Layout layout, int m, int n, int k) {
    return new Gemm(layout, m, n, k)
        .a(normal(1, (long) m * k), layout == Layout.TN ? m : k)
        .b(normal(2, (long) n * k), layout == Layout.NT ? k : n);
  }

  private static Span zeros(long count) {
    return Span.of(ARENA.allocate(4 * count, 64), F32);
  }

  private static Span normal(int seed, long count) {
    Random random = new Random(seed);
    Span span = zeros(count);
    for (long i = 0; i < count; i++) {
      set(span, i, (float) random.nextGaussian());
    }
    return span;
  }

  private static void set(Span span, long i, float value) {
    memory(span).setAtIndex(ValueLayout.JAVA_FLOAT, i, value);
  }

  private static float[] floats(Span span) {
    return memory(span).toArray(ValueLayout.JAVA_FLOAT);
  }

  private static MemorySegment memory(Span span) {
    return MemorySegment.ofAddress(span.address()).reinterpret(span.bytes());
  }
}
