package dev.fovea.kernels.contract;

import static dev.fovea.kernels.DType.BF16;
import static dev.fovea.kernels.DType.F32;
import static dev.fovea.kernels.DType.I32;

import dev.fovea.kernels.Attention;
import dev.fovea.kernels.DType;
import dev.fovea.kernels.Span;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** Cases of {@link dev.fovea.kernels.AttentionKernels}. */
public final class AttentionCases {
  private static final int[] HEAD_DIMS = {1, 8, 52, 55, 64, 72, 80, 88, 104, 112, 128, 256};

  /** Queries and keys. */
  private static final int[][] TOKENS = {{1, 1}, {7, 7}, {196, 196}, {1, 197}, {257, 257}, {33, 600}, {600, 5}};

  /** The largest of some thousand normal numbers. */
  private static final double MOST = 4.5;

  private AttentionCases() {}

  /** Sizes, dtypes, layouts and optional operands that have gone wrong somewhere before. */
  public static Stream<KernelCase> all() {
    Stream<Shape> dims = IntStream.of(HEAD_DIMS).mapToObj(d -> new Shape(1, 2, 41, 67, d));
    Stream<KernelCase> bf16 = IntStream.of(HEAD_DIMS)
        .filter(d -> d % 8 == 0)
        .mapToObj(d -> new Shape(2, 2, 41, 67, d).of(BF16).lengths(67, 30))
        .flatMap(s -> Stream.of(forward(s), backward(s)));
    Stream<Shape> tokens = Stream.of(TOKENS).map(t -> new Shape(1, 1, t[0], t[1], 24));
    Stream<Shape> batches = Stream.of(new Shape(3, 4, 9, 13, 16), new Shape(2, 3, 197, 197, 64));
    Shape masked = new Shape(4, 2, 30, 70, 20);
    Shape longMasked = new Shape(2, 1, 20, 600, 8);
    return Stream.of(
            Stream.of(dims, tokens, batches).flatMap(s -> s).flatMap(AttentionCases::every),
            bf16,
            every(masked.lengths(70, 1, 33, 64)),
            every(longMasked.lengths(257, 600)),
            every(new Shape(1, 2, 50, 50, 40).of(BF16)),
            every(new Shape(2, 2, 70, 90, 72).of(BF16).lengths(89, 3)),
            Stream.of(
                backward(new Shape(1, 1, 150, 197, 64).of(BF16)), backward(new Shape(1, 1, 70, 130, 32).of(BF16))),
            every(new Shape(1, 2, 40, 60, 64).wide(5)),
            every(new Shape(1, 2, 40, 60, 55).wide(5).of(BF16)),
            every(new Shape(1, 2, 40, 60, 64).scaled(-0.3f)),
            every(new Shape(1, 2, 40, 60, 64).scaled(0)),
            every(new Shape(1, 2, 40, 60, 64).of(BF16).scaled(0)),
            Stream.of(fused(2, 3, 50, 40, F32), fused(2, 3, 50, 40, BF16), mixed(), noLse(), large(F32), large(BF16)),
            Stream.of(largeBackward()))
        .flatMap(s -> s);
  }

  /** Vision Transformers: ViT-B at 224 and 384 pixels, So400m. */
  public static Stream<KernelCase> timed() {
    return Stream.of(1, 8)
        .flatMap(batch -> Stream.concat(
            IntStream.of(197, 577, 1024).mapToObj(n -> new Shape(batch, 12, n, n, 64)),
            IntStream.of(256, 729, 1024).mapToObj(n -> new Shape(batch, 16, n, n, 72))))
        .flatMap(s -> Stream.of(timed(s, false), timed(s, true)));
  }

  /** For GPUs: the same at batch 64 and 8, of {@code type} operands. */
  public static Stream<KernelCase> timed(DType type) {
    return Stream.of(64, 8)
        .flatMap(batch -> Stream.concat(
            IntStream.of(197, 577, 1024).mapToObj(n -> new Shape(batch, 12, n, n, 64)),
            IntStream.of(256, 729, 1024).mapToObj(n -> new Shape(batch, 16, n, n, 72))))
        .flatMap(s -> Stream.of(timed(s.of(type), false), timed(s.of(type), true)));
  }

  /** Attention in F32 behind a fused projection, or its gradient, to be timed. */
  public static KernelCase timed(int batch, int heads, int tokens, int headDim, boolean backward) {
    return timed(new Shape(batch, heads, tokens, tokens, headDim), backward);
  }

  /** One problem: sizes, how its operands are stored, and its options. */
  private record Shape(
      int batch,
      int heads,
      int queries,
      int keys,
      int headDim,
      DType dtype,
      int gap,
      float scale,
      int @Nullable [] valid) {
    Shape(int batch, int heads, int queries, int keys, int headDim) {
      this(batch, heads, queries, keys, headDim, F32, 0, (float) (1 / Math.sqrt(headDim)), null);
    }

    Shape of(DType dtype) {
      return new Shape(batch, heads, queries, keys, headDim, dtype, gap, scale, valid);
    }

    /** Leading dimensions that are larger than the width. */
    Shape wide(int gap) {
      return new Shape(batch, heads, queries, keys, headDim, dtype, gap, scale, valid);
    }

    Shape scaled(float scale) {
      return new Shape(batch, heads, queries, keys, headDim, dtype, gap, scale, valid);
    }

    Shape lengths(int... valid) {
      return new Shape(batch, heads, queries, keys, headDim, dtype, gap, scale, valid);
    }

    Attention call(CaseMemory memory) {
      Attention call = new Attention(batch, heads, queries, keys, headDim).scale(scale);
      if (valid != null) {
        call.lengths(memory.values(I32, IntStream.of(valid).asDoubleStream().toArray()));
      }
      return call;
    }

    int width() {
      return heads * headDim;
    }

    long count(int rows, long ld) {
      return ((long) batch * rows - 1) * ld + width();
    }

    long statistics() {
      return (long) batch * heads * queries;
    }

    /** Variance of the logits of normal queries and keys. */
    double variance() {
      return (double) scale * scale * headDim;
    }

    /** What lse is about, but drawn from nothing: backward is tested on its own. */
    Span someLse(CaseMemory memory) {
      double middle = Math.log(keys) + variance() / 2 + 0.5;
      return memory.values(
          F32,
          IntStream.range(0, (int) statistics())
              .mapToDouble(i -> middle + i % 7 * 0.1)
              .toArray());
    }

    /** The largest weight that {@link #someLse} makes likely, or 1. */
    double largestWeight() {
      return Math.max(1, Math.exp(MOST * Math.sqrt(variance()) - variance() / 2 - 0.5) / keys);
    }

    /**
     * Relative error of a weight. This and the sums below take the contract's bounds with the square root of the number
     * of terms, as for rounding errors of random sign.
     */
    double weightError() {
      double largestLogit = MOST * Math.sqrt(variance());
      return (Math.sqrt(headDim) + 4) * (largestLogit + 1) * Tolerance.U;
    }

    Tolerance forward() {
      double error = 2 * weightError() + (2 * Math.sqrt(keys) + 16) * Tolerance.U;
      double weights = dtype == BF16 ? 0x1p-9 : 0;
      return Tolerance.absolute(MOST * (error + weights)).rounded(dtype);
    }

    Tolerance logSum() {
      double size = Math.log(keys) + variance();
      return Tolerance.absolute(weightError() + (Math.sqrt(keys) + 16 + size) * Tolerance.U);
    }

    /** For sums of {@code terms} weights, which are about 1/keys each, times numbers of this size. */
    Tolerance backward(int terms, double size) {
      // A quarter of what rounded weights may add: their errors have random sign, too.
      double rounding = dtype == BF16 ? 0x1p-11 : 0;
      double error = 2 * weightError() + (Math.sqrt(terms) + 16) * Tolerance.U + rounding;
      double sum = Math.max(1, (double) terms / keys) * largestWeight();
      return Tolerance.absolute(error * size * sum).rounded(dtype);
    }

    /** Size of a weight's gradient. */
    double scoreGradient() {
      return Math.abs(scale) * 2 * MOST * Math.sqrt(headDim);
    }

    @Override
    public String toString() {
      return "%dx%d, %d queries, %d keys, %d wide, %s%s%s%s"
          .formatted(
              batch,
              heads,
              queries,
              keys,
              headDim,
              dtype,
              gap == 0 ? "" : ", ld + " + gap,
              scale <= 0 ? ", scale " + scale : "",
              valid == null ? "" : ", lengths");
    }
  }

  private static Stream<KernelCase> every(Shape s) {
    return Stream.of(forward(s), backward(s), weights(s));
  }

  private static KernelCase forward(Shape s) {
    return new KernelCase("attention.forward", s.toString(), memory -> {
      long ld = s.width() + s.gap;
      Attention call = s.call(memory)
          .q(memory.normal(s.dtype, s.count(s.queries, ld), 1), ld)
          .k(memory.normal(s.dtype, s.count(s.keys, ld + s.gap), 1), ld + s.gap)
          .v(memory.normal(s.dtype, s.count(s.keys, ld), 1), ld)
          .o(memory.output("o", s.dtype, s.batch * s.queries * (long) s.width(), s.forward()), s.width())
          .lse(memory.output("lse", F32, s.statistics(), s.logSum()));
      return kernels -> kernels.attention().forward(call);
    });
  }

  private static KernelCase backward(Shape s) {
    return new KernelCase("attention.backward", s.toString(), memory -> {
      long ld = s.width() + s.gap;
      Attention call = s.call(memory)
          .q(memory.normal(s.dtype, s.count(s.queries, ld), 1), ld)
          .k(memory.normal(s.dtype, s.count(s.keys, ld), 1), ld)
          .v(memory.normal(s.dtype, s.count(s.keys, ld), 1), ld)
          .o(memory.normal(s.dtype, s.count(s.queries, ld), 0.2), ld)
          .dO(memory.normal(s.dtype, s.count(s.queries, ld), 1), ld)
          .lse(s.someLse(memory));
      gradients(call, s, memory);
      return kernels -> kernels.attention().backward(call);
    });
  }

  private static void gradients(Attention call, Shape s, CaseMemory memory) {
    int width = s.width();
    double size = s.scoreGradient();
    Span dq = memory.output("dq", s.dtype, (long) s.batch * s.queries * width, s.backward(s.keys, size));
    Span dk = memory.output("dk", s.dtype, (long) s.batch * s.keys * width, s.backward(s.queries, size));
    Span dv = memory.output("dv", s.dtype, (long) s.batch * s.keys * width, s.backward(s.queries, MOST));
    call.dq(dq, width).dk(dk, width).dv(dv, width);
  }

  private static KernelCase weights(Shape s) {
    return new KernelCase("attention.weights", s.toString(), memory -> {
      long ld = s.width() + s.gap;
      Attention call = s.call(memory)
          .q(memory.normal(s.dtype, s.count(s.queries, ld), 1), ld)
          .k(memory.normal(s.dtype, s.count(s.keys, ld), 1), ld)
          .lse(s.someLse(memory));
      Tolerance tolerance = Tolerance.relative(s.weightError() + 4 * Tolerance.U);
      Span p = memory.output("p", F32, s.statistics() * s.keys, tolerance);
      return kernels -> kernels.attention().weights(call, p);
    });
  }

  /** Forward and then backward from what forward wrote, over thirds of one projection. */
  private static KernelCase fused(int batch, int heads, int tokens, int headDim, DType dtype) {
    Shape s = new Shape(batch, heads, tokens, tokens, headDim).of(dtype);
    return new KernelCase("attention.forward, backward", "fused " + s, memory -> {
      long ld = 3L * s.width();
      Tolerance forward = s.forward();
      // What o is off by, its rounding included, stands in every score gradient.
      double offset = Math.sqrt(headDim) * (dtype == BF16 ? 0x1p-9 : 8 * Tolerance.U);
      Tolerance exact = s.backward(tokens, s.scoreGradient());
      Tolerance gradient = new Tolerance(exact.absolute() + offset * Math.abs(s.scale()), exact.relative());
      Attention call = s.call(memory)
          .qkv(memory.normal(dtype, batch * tokens * ld, 1), ld)
          .o(memory.output("o", dtype, (long) batch * tokens * s.width(), forward), s.width())
          .lse(memory.output("lse", F32, s.statistics(), s.logSum()))
          .dO(memory.normal(dtype, (long) batch * tokens * s.width(), 1), s.width())
          .dqkv(memory.output("dqkv", dtype, batch * tokens * ld, gradient), ld);
      return kernels -> {
        kernels.attention().forward(call);
        kernels.attention().backward(call);
      };
    });
  }

  private static KernelCase mixed() {
    Shape s = new Shape(1, 2, 37, 45, 24);
    return new KernelCase("attention.forward", "mixed dtypes " + s, memory -> {
      Attention call = s.call(memory)
          .q(memory.normal(BF16, s.count(37, 48), 1), 48)
          .k(memory.normal(F32, s.count(45, 48), 1), 48)
          .v(memory.normal(BF16, s.count(45, 48), 1), 48)
          .o(memory.output("o", F32, s.count(37, 48), s.forward()), 48)
          .lse(memory.output("lse", F32, s.statistics(), s.logSum()));
      return kernels -> kernels.attention().forward(call);
    });
  }

  private static KernelCase noLse() {
    Shape s = new Shape(2, 1, 19, 23, 8);
    return new KernelCase("attention.forward", "no lse " + s, memory -> {
      Attention call = s.call(memory)
          .q(memory.normal(F32, s.count(19, 8), 1), 8)
          .k(memory.normal(F32, s.count(23, 8), 1), 8)
          .v(memory.normal(F32, s.count(23, 8), 1), 8)
          .o(memory.output("o", F32, s.count(19, 8), s.forward()), 8);
      return kernels -> kernels.attention().forward(call);
    });
  }

  /** Logits of -10000, 0 and 10000: exp of any of them would be infinite or nothing. */
  private static KernelCase large(DType dtype) {
    int tokens = 300;
    return new KernelCase("attention.forward", "logits of 10000, " + dtype, memory -> {
      Attention call = largeCall(memory, tokens, dtype)
          .o(
              memory.output(
                  "o", dtype, tokens, Tolerance.absolute(100 * Tolerance.U).rounded(dtype)),
              1)
          .lse(memory.output("lse", F32, tokens, Tolerance.relative(4 * Tolerance.U)));
      return kernels -> kernels.attention().forward(call);
    });
  }

  private static KernelCase largeBackward() {
    int tokens = 300;
    return new KernelCase("attention.backward", "logits of 10000", memory -> {
      // lse has an ulp of 0.001 here, but is given; 10000 rounds to a logit that every device computes exactly.
      Tolerance tolerance = new Tolerance(0.01, 1e-4);
      double[] lse = IntStream.range(0, tokens)
          .mapToDouble(i -> i % 2 == 0 ? 10005 : 10004.5)
          .toArray();
      Attention call = largeCall(memory, tokens, F32)
          .o(memory.normal(F32, tokens, 0.1), 1)
          .dO(memory.normal(F32, tokens, 1), 1)
          .lse(memory.values(F32, lse))
          .dq(memory.output("dq", F32, tokens, tolerance), 1)
          .dk(memory.output("dk", F32, tokens, tolerance), 1)
          .dv(memory.output("dv", F32, tokens, tolerance), 1);
      return kernels -> kernels.attention().backward(call);
    });
  }

  private static Attention largeCall(CaseMemory memory, int tokens, DType dtype) {
    double[] q =
        IntStream.range(0, tokens).mapToDouble(i -> i % 2 == 0 ? 128 : -128).toArray();
    double[] k = IntStream.range(0, tokens).mapToDouble(i -> (i % 3 - 1) * 64.0).toArray();
    return new Attention(1, 1, tokens, tokens, 1)
        .scale((float) (10000.0 / 8192))
        .q(memory.values(dtype, q), 1)
        .k(memory.values(dtype, k), 1)
        .v(memory.normal(dtype, tokens, 1), 1);
  }

  private static KernelCase timed(Shape s, boolean backward) {
    double pairs = (double) s.statistics() * s.keys;
    double rows = (double) s.batch * s.queries * s.width();
    String name = backward ? "attention.backward" : "attention.forward";
    double flops = (backward ? 10 : 4) * pairs * s.headDim;
    double bytes = s.dtype.bytes() * rows * (backward ? 8 : 4);
    String shape = "%dx%d, %d tokens, %d wide%s"
        .formatted(s.batch, s.heads, s.queries, s.headDim, s.dtype == F32 ? "" : ", " + s.dtype);
    return new KernelCase(name, shape, flops, bytes, memory -> {
      long ld = 3L * s.width();
      long tokens = (long) s.batch * s.queries;
      Attention call = s.call(memory)
          .qkv(memory.normal(s.dtype, tokens * ld, 1), ld)
          .o(output(memory, backward, "o", s.dtype, tokens * s.width(), s.forward()), s.width())
          .lse(output(memory, backward, "lse", F32, s.statistics(), s.logSum()));
      if (backward) {
        call.dO(memory.normal(s.dtype, tokens * s.width(), 1), s.width())
            .dqkv(memory.workspace(s.dtype, tokens * ld), ld);
      }
      return backward
          ? kernels -> kernels.attention().backward(call)
          : kernels -> kernels.attention().forward(call);
    });
  }

  /** What forward writes; backward would read it, and is timed with whatever lies there. */
  private static Span output(
      CaseMemory memory, boolean backward, String name, DType dtype, long count, Tolerance tolerance) {
    return backward ? memory.workspace(dtype, count) : memory.output(name, dtype, count, tolerance);
  }
}
