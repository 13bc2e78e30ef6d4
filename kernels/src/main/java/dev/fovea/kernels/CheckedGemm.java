package dev.fovea.kernels;

import dev.fovea.kernels.Gemm.QkNorm;
import org.jspecify.annotations.Nullable;

/** Refuses what {@link Gemm} does not allow, before a device sees it. */
final class CheckedGemm implements GemmKernels {
  /** Everything a product writes, then everything it only reads: the order of {@link #span}. */
  private static final String[] NAMES = {
    "c",
    "c2",
    "pre",
    "queryStats",
    "keyStats",
    "columnSums",
    "operandSums",
    "a",
    "a2",
    "b",
    "bias",
    "saved",
    "queryWeight",
    "queryBias",
    "keyWeight",
    "keyBias",
    "columnScale",
    "rowScale",
    "b2",
    "bias2",
    "residual"
  };

  private static final int WRITTEN = 7;
  private static final int PACKED_ALIGNMENT = 64;

  private final GemmKernels kernels;

  CheckedGemm(GemmKernels kernels) {
    this.kernels = kernels;
  }

  @Override
  public void run(Gemm g) {
    a(g);
    b(g);
    c(g);
    vectors(g);
    activation(g);
    if (g.gated()) {
      gate(g);
    }
    QkNorm norm = g.qkNorm();
    if (norm != null) {
      heads(g, norm);
    }
    apart(g);
    kernels.run(g);
  }

  private static void a(Gemm g) {
    Span second = g.a2();
    if (g.layout == Layout.TN) {
      if (second != null) {
        Check.range("splitM", g.splitM(), 1, g.m - 1);
        Check.matrix("a2", second, g.k, g.m - g.splitM(), g.lda2());
        plain(g);
      }
      Check.matrix("a", g.a(), g.k, g.splitM(), g.lda());
      return;
    }
    if (second != null) {
      Check.range("splitK", g.splitK(), 1, g.k - 1);
      Check.matrix("a2", second, g.m, g.k - g.splitK(), g.lda2());
    }
    Check.matrix("a", g.a(), g.m, g.splitK(), g.lda());
  }

  /** What else the epilogue can do is not for products of weights' gradients. */
  private static void plain(Gemm g) {
    for (Object more : new @Nullable Object[] {
      g.c2(), g.bias(), g.pre(), g.qkNorm(), g.columnScale(), g.rowScale(), g.residual(), g.columnSums()
    }) {
      if (more != null || g.activation() != Activation.NONE) {
        throw new IllegalArgumentException("epilogue: got more than alpha, accumulate and operandSums,"
            + " expected these for operands in two parts in layout TN");
      }
    }
  }

  private void b(Gemm g) {
    Span second = g.b2();
    if (second != null) {
      if (g.layout != Layout.TN) {
        throw new IllegalArgumentException("b2: got B in two parts in layout %s, expected TN".formatted(g.layout));
      }
      Check.range("splitB", g.splitB(), 1, g.n - 1);
      Check.matrix("b2", second, g.k, g.n - g.splitB(), g.ldb2());
      plain(g);
    }
    if (!g.packedB()) {
      boolean along = g.layout == Layout.NT;
      Check.matrix("b", g.b(), along ? g.n : g.k, along ? g.k : g.splitB(), g.ldb());
      return;
    }
    packed("b", g.layout, g.n, g.k, g.b());
  }

  private void packed(String name, Layout layout, int n, int k, Span packed) {
    long bytes = packedBytes(layout, n, k);
    if (bytes == 0) {
      throw new IllegalArgumentException(
          name + ": got a packed B, expected B as it lies on a device that packs nothing");
    }
    Check.typed(name, packed, DType.F32, bytes / DType.F32.bytes());
    if (packed.address() % PACKED_ALIGNMENT != 0) {
      throw new IllegalArgumentException(
          "%s: got address 0x%x, expected a multiple of %d".formatted(name, packed.address(), PACKED_ALIGNMENT));
    }
  }

  private static void c(Gemm g) {
    Span second = g.c2();
    if (second != null) {
      Check.range("splitN", g.splitN(), 1, g.n - 1);
      Check.matrix("c2", second, g.m, g.n - g.splitN(), g.ldc2());
    }
    Check.matrix("c", g.c(), g.m, g.splitN(), g.ldc());
    Span pre = g.pre();
    if (pre != null) {
      Check.range("preColumns", g.preColumns(), 1, g.n);
      Check.matrix("pre", pre, g.m, g.preColumns(), g.ldPre());
    }
    Span residual = g.residual();
    if (residual != null) {
      Check.matrix("residual", residual, g.m, g.n, g.ldResidual());
    }
  }

  private static void vectors(Gemm g) {
    Span bias = g.bias();
    if (bias != null) {
      Check.real("bias", bias);
      Check.range("bias length", bias.count(), 0, g.n);
    }
    if (g.bias2() != null) {
      Check.real("bias2", g.bias2());
      Check.range("bias2 length", g.bias2().count(), bias == null ? 0 : bias.count(), bias == null ? 0 : bias.count());
    }
    Check.optional("columnScale", g.columnScale(), g.n);
    if (g.rowScale() != null) {
      Check.positive("rowsPerScale", g.rowsPerScale());
      Check.typed("rowScale", g.rowScale(), DType.F32, Math.ceilDiv(g.m, g.rowsPerScale()));
    }
    Check.sums("columnSums", g.columnSums(), 1);
    if (g.operandSums() != null && g.layout != Layout.TN) {
      throw new IllegalArgumentException("operandSums: got layout %s, expected TN".formatted(g.layout));
    }
    Check.sums("operandSums", g.operandSums(), g.m);
  }

  private static void activation(Gemm g) {
    if (g.activation() == Activation.NONE) {
      return;
    }
    Check.range("activationColumns", g.activationColumns(), 1, g.n);
    Span saved = g.saved();
    if (saved != null) {
      Check.matrix("saved", saved, g.m, g.activationColumns(), g.ldSaved());
    }
  }

  /** The first layer of a gated MLP, and nothing else. */
  private static void gate(Gemm g) {
    if (g.layout != Layout.NT || g.n % 2 != 0) {
      throw new IllegalArgumentException(
          "gated: got layout %s and %d columns, expected NT and an even number".formatted(g.layout, g.n));
    }
    Check.range("preColumns of a gated product", g.preColumns(), g.n, g.n);
    Check.range("activationColumns of a gated product", g.activationColumns(), g.n / 2, g.n / 2);
    boolean more = g.saved() != null
        || g.c2() != null
        || g.qkNorm() != null
        || g.columnScale() != null
        || g.rowScale() != null
        || g.residual() != null
        || g.columnSums() != null
        || g.accumulate();
    if (more) {
      throw new IllegalArgumentException(
          "epilogue: got more than alpha, biases, pre and activation, expected these for a gated product");
    }
  }

  private static void heads(Gemm g, QkNorm norm) {
    Check.positive("qkNorm.heads", norm.heads());
    Check.positive("qkNorm.headDim", norm.headDim());
    Check.range("qkNorm.eps", norm.eps(), 0, Float.MAX_VALUE);
    long width = 2L * norm.heads() * norm.headDim();
    if (norm.begin() < 0 || norm.begin() + width > g.n) {
      throw new IllegalArgumentException("qkNorm: got columns [%d, %d), expected a part of [0, %d)"
          .formatted(norm.begin(), norm.begin() + width, g.n));
    }
    if (g.activationColumns() > norm.begin()) {
      throw new IllegalArgumentException("qkNorm.begin: got %d, expected at least %d, behind the activation's columns"
          .formatted(norm.begin(), g.activationColumns()));
    }
    Check.vector("qkNorm.queryWeight", norm.queryWeight(), norm.headDim());
    Check.optional("qkNorm.queryBias", norm.queryBias(), norm.headDim());
    Check.vector("qkNorm.keyWeight", norm.keyWeight(), norm.headDim());
    Check.optional("qkNorm.keyBias", norm.keyBias(), norm.headDim());
    long stats = 2L * g.m * norm.heads();
    Check.optionalTyped("qkNorm.queryStats", norm.queryStats(), DType.F32, stats);
    Check.optionalTyped("qkNorm.keyStats", norm.keyStats(), DType.F32, stats);
  }

  /** What is written overlaps nothing; but the residual may be C itself. */
  private static void apart(Gemm g) {
    for (int i = 0; i < WRITTEN; i++) {
      Span written = span(g, i);
      for (int j = i + 1; written != null && j < NAMES.length; j++) {
        Span other = span(g, j);
        if (other != null
            && written.address() < other.address() + bytes(g, j, other)
            && other.address() < written.address() + bytes(g, i, written)
            && !(i == 0 && j == NAMES.length - 1 && residualIsC(g))) {
          throw new IllegalArgumentException("%s: overlaps %s, expected its own memory".formatted(NAMES[i], NAMES[j]));
        }
      }
    }
  }

  private static boolean residualIsC(Gemm g) {
    return g.c2() == null && g.c().equals(g.residual()) && g.ldc() == g.ldResidual();
  }

  private static @Nullable Span span(Gemm g, int i) {
    QkNorm norm = g.qkNorm();
    return switch (i) {
      case 0 -> g.c();
      case 1 -> g.c2();
      case 2 -> g.pre();
      case 3 -> norm == null ? null : norm.queryStats();
      case 4 -> norm == null ? null : norm.keyStats();
      case 5 -> Sums.spanOf(g.columnSums());
      case 6 -> Sums.spanOf(g.operandSums());
      case 7 -> g.a();
      case 8 -> g.a2();
      case 9 -> g.b();
      case 10 -> g.bias();
      case 11 -> g.activationColumns() == 0 ? null : g.saved();
      case 12 -> norm == null ? null : norm.queryWeight();
      case 13 -> norm == null ? null : norm.queryBias();
      case 14 -> norm == null ? null : norm.keyWeight();
      case 15 -> norm == null ? null : norm.keyBias();
      case 16 -> g.columnScale();
      case 17 -> g.rowScale();
      case 18 -> g.b2();
      case 19 -> g.bias2();
      default -> g.residual();
    };
  }

  /** How far from its address a span is used: matrices may lie in spans that are longer than they are. */
  private static long bytes(Gemm g, int i, Span span) {
    boolean tall = g.layout == Layout.TN;
    long elements = switch (i) {
      case 0 -> extent(g.m, g.splitN(), g.ldc());
      case 1 -> extent(g.m, g.n - g.splitN(), g.ldc2());
      case 2 -> extent(g.m, g.preColumns(), g.ldPre());
      case 3, 4 -> 2L * g.m * heads(g);
      case 5, 16 -> g.n;
      case 6 -> g.m;
      case 7 -> extent(tall ? g.k : g.m, tall ? g.splitM() : g.splitK(), g.lda());
      case 8 -> extent(tall ? g.k : g.m, tall ? g.m - g.splitM() : g.k - g.splitK(), g.lda2());
      case 9 -> g.packedB() ? span.count() : extentOfB(g);
      case 11 -> extent(g.m, g.activationColumns(), g.ldSaved());
      case 18 -> extent(g.k, g.n - g.splitB(), g.ldb2());
      case 20 -> extent(g.m, g.n, g.ldResidual());
      default -> span.count();
    };
    return elements * span.dtype().bytes();
  }

  private static int heads(Gemm g) {
    QkNorm norm = g.qkNorm();
    return norm == null ? 0 : norm.heads();
  }

  private static long extentOfB(Gemm g) {
    return g.layout == Layout.NT ? extent(g.n, g.k, g.ldb()) : extent(g.k, g.splitB(), g.ldb());
  }

  private static long extent(long rows, long columns, long ld) {
    return (rows - 1) * ld + columns;
  }

  @Override
  public long packedBytes(Layout layout, int n, int k) {
    if (layout == Layout.TN) {
      throw new IllegalArgumentException("layout: got TN, expected NN or NT, whose B is a weight");
    }
    Check.positive("n", n);
    Check.positive("k", k);
    return kernels.packedBytes(layout, n, k);
  }

  @Override
  public void pack(Layout layout, int n, int k, Span b, long ldb, Span packed) {
    packed("packed", layout, n, k, packed);
    boolean along = layout == Layout.NT;
    Check.matrix("b", b, along ? n : k, along ? k : n, ldb);
    Check.apart("packed", packed, "b", b);
    kernels.pack(layout, n, k, b, ldb, packed);
  }
}
