package dev.fovea.kernels.contract;

import static dev.fovea.kernels.DType.F32;

import dev.fovea.kernels.Activation;
import dev.fovea.kernels.DType;
import dev.fovea.kernels.Gemm;
import dev.fovea.kernels.GemmKernels;
import dev.fovea.kernels.KernelSet;
import dev.fovea.kernels.Layout;
import dev.fovea.kernels.Span;
import java.util.Random;

/**
 * A case of {@code gemm.run} in the making. A is drawn with deviation 1 and B with 1 / sqrt(k), so that products have
 * deviation 1; or both are small integers, whose products every order of summation gives exactly ({@link #exact}).
 */
final class GemmCase {
  private static final double U = Tolerance.U;

  private final Layout layout;
  private final int m;
  private final int n;
  private final int k;
  private final StringBuilder shape;

  private DType typeA = F32;
  private DType typeB = F32;
  private DType typeC = F32;
  private int pad;
  private boolean exact;
  private float alpha = 1;
  private boolean packed;
  private boolean accumulate;
  private int splitK;
  private int splitM;
  private int splitB;
  private int splitN;
  private int biased;
  private int preColumns;
  private DType typePre = F32;
  private Activation activation = Activation.NONE;
  private int activationColumns;
  private boolean gradient;
  private int qkBegin = -1;
  private int heads;
  private int headDim;
  private boolean centered;
  private boolean columnScale;
  private int rowsPerScale;
  private boolean residual;
  private boolean inPlace;
  private int columnSums;
  private boolean operandSums;
  private boolean addSums;
  private boolean gated;
  private boolean secondBias;

  GemmCase(Layout layout, int m, int n, int k) {
    this.layout = layout;
    this.m = m;
    this.n = n;
    this.k = k;
    shape = new StringBuilder("%s %dx%dx%d".formatted(layout, m, n, k));
  }

  private GemmCase named(String what) {
    shape.append(' ').append(what);
    return this;
  }

  GemmCase types(DType a, DType b, DType c) {
    typeA = a;
    typeB = b;
    typeC = c;
    typePre = c;
    return named(a + "*" + b + "=" + c);
  }

  /** Leading dimensions larger than the widths. */
  GemmCase padded(int pad) {
    this.pad = pad;
    return named("ld+" + pad);
  }

  GemmCase exact() {
    exact = true;
    return named("exact");
  }

  GemmCase alpha(float alpha) {
    this.alpha = alpha;
    return named("alpha");
  }

  GemmCase packed() {
    packed = true;
    return named("packed");
  }

  GemmCase accumulate() {
    accumulate = true;
    return named("accumulate");
  }

  /** TN: A in two parts along m. */
  GemmCase splitM(int at) {
    splitM = at;
    return named("splitM@" + at);
  }

  /** TN: B in two parts along n. */
  GemmCase splitB(int at) {
    splitB = at;
    return named("splitB@" + at);
  }

  GemmCase splitK(int at) {
    splitK = at;
    return named("splitK@" + at);
  }

  GemmCase splitN(int at) {
    splitN = at;
    return named("splitN@" + at);
  }

  GemmCase bias() {
    return bias(n);
  }

  GemmCase bias(int columns) {
    biased = columns;
    return named(columns == n ? "bias" : "bias:" + columns);
  }

  GemmCase pre(int columns) {
    preColumns = columns;
    return named("pre:" + columns);
  }

  GemmCase activation(Activation f, int columns) {
    activation = f;
    activationColumns = columns;
    return named(f + ":" + columns);
  }

  GemmCase gradient(Activation f, int columns) {
    gradient = true;
    activation = f;
    activationColumns = columns;
    return named("d" + f + ":" + columns);
  }

  GemmCase qkNorm(int begin, int heads, int headDim, boolean centered) {
    qkBegin = begin;
    this.heads = heads;
    this.headDim = headDim;
    this.centered = centered;
    return named("qk:%s%dx%d@%d".formatted(centered ? "layer" : "rms", heads, headDim, begin));
  }

  GemmCase columnScale() {
    columnScale = true;
    return named("columnScale");
  }

  GemmCase rowScale(int rowsPerScale) {
    this.rowsPerScale = rowsPerScale;
    return named("rowScale/" + rowsPerScale);
  }

  GemmCase residual() {
    residual = true;
    return named("residual");
  }

  GemmCase residualInPlace() {
    residual = true;
    inPlace = true;
    return named("residual=c");
  }

  /** A gated product: keeps what comes before the activation. */
  GemmCase gated(Activation f) {
    gated = true;
    preColumns = n;
    activation = f;
    activationColumns = n / 2;
    return named("gated " + f);
  }

  GemmCase secondBias() {
    secondBias = true;
    return named("bias2");
  }

  GemmCase columnSums() {
    return columnSums(n);
  }

  /** Sums of the first {@code count} columns. */
  GemmCase columnSums(int count) {
    columnSums = count;
    return named(count == n ? "columnSums" : "columnSums:" + count);
  }

  /** Sums are added to what is there. */
  GemmCase addSums() {
    addSums = true;
    return named("sums added");
  }

  GemmCase operandSums() {
    operandSums = true;
    return named("operandSums");
  }

  KernelCase done() {
    double bytes = (double) m * k * typeA.bytes() + (double) n * k * typeB.bytes() + (double) m * n * typeC.bytes();
    return new KernelCase("gemm.run", shape.toString(), 2.0 * m * n * k, bytes, this::prepare);
  }

  private KernelCase.Call prepare(CaseMemory memory) {
    Gemm call = new Gemm(layout, m, n, k).alpha(alpha).accumulate(accumulate);
    operands(memory, call);
    result(memory, call);
    if (columnSums > 0) {
      Tolerance each = after();
      double scale = (columnScale ? 2.5 : 1) * (rowsPerScale > 0 ? 4 : 1) * (exact ? 16.0 * k : 3);
      Tolerance sums = Tolerance.absolute(m * (each.absolute() + each.relative() * scale) + m * m * U * scale);
      call.columnSums(memory.sums("columnSums", columnSums, addSums, sums));
    }
    if (operandSums) {
      Tolerance sums = Tolerance.absolute((k + 4) * U * (0.8 * k + 4 * Math.sqrt(k) + 12));
      call.operandSums(memory.sums("operandSums", m, addSums, sums));
    }
    if (!packed) {
      return kernels -> kernels.gemm().run(call);
    }
    Span b = call.b();
    long ldb = call.ldb();
    Span room = memory.workspace(F32, (n + 256L) * (k + 256L));
    KernelSet[] packedFor = new KernelSet[1];
    return kernels -> {
      if (packedFor[0] != kernels) {
        packedFor[0] = kernels;
        pack(kernels.gemm(), call, b, ldb, room);
      }
      kernels.gemm().run(call);
    };
  }

  /** Packs B once, as a model does with its weights, where the device gains from it. */
  private void pack(GemmKernels gemm, Gemm call, Span b, long ldb, Span room) {
    long size = gemm.packedBytes(layout, n, k);
    if (size > 0) {
      Span packed = room.slice(0, size / F32.bytes());
      gemm.pack(layout, n, k, b, ldb, packed);
      call.packedB(packed);
    }
  }

  private void operands(CaseMemory memory, Gemm call) {
    if (splitK > 0) {
      Span a = draw(memory, typeA, m, splitK, 1);
      Span a2 = draw(memory, typeA, m, k - splitK, 1);
      call.a(a, splitK + pad, a2, k - splitK + pad, splitK);
    } else if (splitM > 0) {
      Span a = draw(memory, typeA, k, splitM, 1);
      Span a2 = draw(memory, typeA, k, m - splitM, 1);
      call.a(a, splitM + pad, a2, m - splitM + pad, splitM);
    } else {
      long lda = (layout == Layout.TN ? m : k) + pad;
      call.a(draw(memory, typeA, layout == Layout.TN ? k : m, layout == Layout.TN ? m : k, 1), lda);
    }
    long rowsB = layout == Layout.NT ? n : k;
    long columnsB = layout == Layout.NT ? k : n;
    if (splitB > 0) {
      Span b = draw(memory, typeB, k, splitB, 1 / Math.sqrt(k));
      Span b2 = draw(memory, typeB, k, n - splitB, 1 / Math.sqrt(k));
      call.b(b, splitB + pad, b2, n - splitB + pad, splitB);
    } else {
      call.b(draw(memory, typeB, rowsB, columnsB, 1 / Math.sqrt(k)), columnsB + pad);
    }
    call.gated(gated);
    call.bias(biased > 0 ? vector(memory, biased) : null, secondBias ? vector(memory, biased) : null);
    if (preColumns > 0) {
      Tolerance tolerance = Tolerance.absolute(before()).rounded(typePre);
      long ld = preColumns + pad;
      call.pre(memory.output("pre", typePre, (m - 1L) * ld + preColumns, tolerance), ld, preColumns);
    }
    if (gradient) {
      Span saved = draw(memory, typeC, m, activationColumns, 2);
      call.activationGradient(activation, activationColumns, saved, activationColumns + pad);
    } else if (activationColumns > 0) {
      call.activation(activation, activationColumns);
    }
    if (qkBegin >= 0) {
      call.qkNorm(heads(memory));
    }
    call.columnScale(columnScale ? memory.normal(typeB, n, 0.5) : null);
    if (rowsPerScale > 0) {
      call.rowScale(memory.normal(F32, Math.ceilDiv(m, rowsPerScale), 1), rowsPerScale);
    }
  }

  private Span vector(CaseMemory memory, int count) {
    return exact ? integers(memory, typeB, count) : memory.normal(typeB, count, 1);
  }

  private Gemm.QkNorm heads(CaseMemory memory) {
    long stats = 2L * m * heads;
    Tolerance tolerance = new Tolerance(2 * before(), 16 * before() + 32 * U);
    return new Gemm.QkNorm(
        qkBegin,
        heads,
        headDim,
        1e-5f,
        centered,
        memory.normal(typeB, headDim, 1),
        centered ? memory.normal(typeB, headDim, 1) : null,
        memory.normal(typeB, headDim, 1),
        centered ? memory.normal(typeB, headDim, 1) : null,
        memory.output("queryStats", F32, stats, tolerance),
        memory.output("keyStats", F32, stats, tolerance));
  }

  private void result(CaseMemory memory, Gemm call) {
    int left = splitN > 0 ? splitN : gated ? n / 2 : n;
    long ldc = left + pad;
    boolean reads = accumulate || inPlace;
    Span c = c(memory, "c", left, reads);
    if (splitN > 0) {
      call.c(c, ldc, c(memory, "c2", n - splitN, reads), n - splitN + pad, splitN);
    } else {
      call.c(c, ldc);
    }
    if (residual) {
      call.residual(inPlace ? c : draw(memory, typeC, m, n, 1), n + pad);
    }
  }

  private Span c(CaseMemory memory, String name, int columns, boolean reads) {
    Tolerance tolerance = after().rounded(typeC);
    return reads
        ? memory.inout(name, draw(memory, typeC, m, columns, 1), tolerance)
        : memory.output(name, typeC, (m - 1L) * (columns + pad) + columns, tolerance);
  }

  private Span draw(CaseMemory memory, DType type, long rows, long columns, double deviation) {
    long count = (rows - 1) * (columns + pad) + columns;
    return exact ? integers(memory, type, count) : memory.normal(type, count, deviation);
  }

  private Span integers(CaseMemory memory, DType type, long count) {
    return memory.values(
        type, new Random(count).doubles(count).map(x -> Math.floor(x * 9) - 4).toArray());
  }

  /** The contract's bound before the activation: (k + 4) u (|A| |B| + |bias| + |c|). */
  private double before() {
    if (exact) {
      return 0;
    }
    double products = (0.64 * k + 4 * Math.sqrt(k) + 16) / Math.sqrt(k);
    return (k + 4) * U * (Math.abs(alpha) * products + (biased > 0 ? secondBias ? 10 : 5 : 0) + (accumulate ? 5 : 0));
  }

  /** What that grows to: f' is at most 1.13; a norm divides by the deviation; scales are at most 2 and 4. */
  private Tolerance after() {
    double error = before();
    double value = exact ? 16.0 * k + 8 : 6 * Math.abs(alpha) + 8;
    double relative = 4 * U;
    if (activationColumns > 0) {
      error = 1.13 * error + 16 * U * value;
    }
    if (gated) { // of a product of two values
      error = 2 * value * error;
    }
    if (qkBegin >= 0) {
      error = Math.max(error, (error + 16 * U) * 8 * 4);
      value = Math.max(value, 24);
    }
    double scale = (columnScale ? 2.5 : 1) * (rowsPerScale > 0 ? 4 : 1);
    boolean rounds = columnScale || rowsPerScale > 0 || residual || gradient;
    return new Tolerance(error * scale + (rounds ? 4 * U * value * scale : 0), relative);
  }
}
