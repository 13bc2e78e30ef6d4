package dev.fovea.kernels;

import org.jspecify.annotations.Nullable;

/**
 * One matrix product {@code C[m,n] = epilogue(alpha op(A)[m,k] op(B)[k,n])}: sizes, operands and the epilogue. Mutable
 * and reusable, so that a caller can describe a layer once and run it many times without garbage; a kernel reads it
 * only while it is being submitted.
 *
 * <p>The epilogue takes each value {@code v} of the product through these steps, in this order, in F32; steps whose
 * operand was not given are skipped:
 *
 * <ol>
 *   <li>{@code v += c} as it was before ({@link #accumulate});
 *   <li>{@code v += bias[col]}, for as many columns as there are biases, and of a second vector of as many;
 *   <li>in columns that go on to a function, a QK-norm or a column scale, and in the first {@code preColumns},
 *       {@code v} is rounded to the dtype of {@code pre}, or to that of C without one; {@code pre[row,col] = v}
 *       ({@link #pre}). So a value is the same whether or not it was kept, and recomputing from {@code pre} is exact;
 *   <li>for the first {@code activationColumns} columns, {@code v = f(v)} ({@link #activation}) or {@code v *=
 *       f'(saved[row,col])} ({@link #activationGradient}). {@link #gated}: then {@code v *=} the value n / 2 columns
 *       further on, for the first n / 2 columns, which are all that C has;
 *   <li>QK-norm of the heads that lie in columns {@code [qkBegin, qkBegin + 2 heads headDim)}: queries, then keys
 *       ({@link #qkNorm});
 *   <li>{@code v *= columnScale[col]} (LayerScale);
 *   <li>{@code v *= rowScale[row / rowsPerScale]} (stochastic depth: one factor per image);
 *   <li>{@code v += residual[row,col]};
 *   <li>{@code c[row,col] = v}, and {@code columnSums[col] = sum over rows of v}.
 * </ol>
 *
 * <p>A and C may be made of two spans each: A split along k ({@code [A | A2]}, as the ViT-22B output projection reads
 * attention and MLP), C split along n ({@code [C | C2]}, as its input projection writes MLP and QKV). In TN both A and
 * B may be of two spans, split along m and n: a weight's gradient in one product; the epilogue is alpha, accumulate and
 * operand sums then. {@code residual} may be the same span as C; nothing else may overlap C.
 */
public final class Gemm {
  public final Layout layout;
  public final int m;
  public final int n;
  public final int k;

  private float alpha = 1;
  private boolean accumulate;
  private @Nullable Span a;
  private long lda;
  private @Nullable Span a2;
  private long lda2;
  private int splitK;
  private @Nullable Span b;
  private long ldb;
  private @Nullable Span b2;
  private long ldb2;
  private int splitB;
  private boolean packedB;
  private @Nullable Span c;
  private long ldc;
  private @Nullable Span c2;
  private long ldc2;
  private int splitN;
  private @Nullable Span bias;
  private @Nullable Span bias2;
  private @Nullable Span pre;
  private long ldPre;
  private int preColumns;
  private Activation activation = Activation.NONE;
  private int activationColumns;
  private boolean gated;
  private @Nullable Span saved;
  private long ldSaved;
  private @Nullable QkNorm qkNorm;
  private @Nullable Span columnScale;
  private @Nullable Span rowScale;
  private int rowsPerScale = 1;
  private @Nullable Span residual;
  private long ldResidual;
  private @Nullable Sums columnSums;
  private @Nullable Sums operandSums;

  /** A product of the given sizes, each at least 1. */
  public Gemm(Layout layout, int m, int n, int k) {
    if (m < 1 || n < 1 || k < 1) {
      throw new IllegalArgumentException("m, n, k: got %d, %d, %d, expected at least 1 each".formatted(m, n, k));
    }
    this.layout = layout;
    this.m = m;
    this.n = n;
    this.k = k;
  }

  /**
   * Per-head normalisation of queries and keys inside the projection that makes them (ViT-22B, section 2.1; parameters
   * are shared by all heads).
   *
   * @param begin first column of the queries; the keys follow at {@code begin + heads * headDim}
   * @param heads number of heads
   * @param headDim columns of one head. Beyond 128 a GPU normalises heads in two launches after the product, since no
   *     tile of it holds a whole head; nothing may follow the norm there then: no scales, residual or column sums, and
   *     a C in F32 or of the dtype that values are rounded to
   * @param eps added to the variance (or mean square)
   * @param centered LayerNorm if true, RMSNorm if false
   * @param queryWeight [headDim]
   * @param queryBias [headDim] or null
   * @param keyWeight [headDim]
   * @param keyBias [headDim] or null
   * @param queryStats F32 as {@link NormKernels} writes it for {@code rows = m, groups = heads}, or null
   * @param keyStats likewise, for the keys
   */
  public record QkNorm(
      int begin,
      int heads,
      int headDim,
      float eps,
      boolean centered,
      Span queryWeight,
      @Nullable Span queryBias,
      Span keyWeight,
      @Nullable Span keyBias,
      @Nullable Span queryStats,
      @Nullable Span keyStats) {}

  /** The factor of the product; 1 unless set. */
  public Gemm alpha(float alpha) {
    this.alpha = alpha;
    return this;
  }

  /** A: [m,k] (NN, NT) or [k,m] (TN). */
  public Gemm a(Span a, long lda) {
    this.a = a;
    this.lda = lda;
    this.a2 = null;
    this.splitK = 0;
    return this;
  }

  /**
   * A in two parts: columns {@code [0, split)} in {@code a}, the rest in {@code a2}. Along k in NN and NT, along m in
   * TN.
   */
  public Gemm a(Span a, long lda, Span a2, long lda2, int split) {
    this.a = a;
    this.lda = lda;
    this.a2 = a2;
    this.lda2 = lda2;
    this.splitK = split;
    return this;
  }

  /** B: [k,n] (NN, TN) or [n,k] (NT). */
  public Gemm b(Span b, long ldb) {
    this.b = b;
    this.ldb = ldb;
    this.b2 = null;
    this.packedB = false;
    return this;
  }

  /** B in two parts, TN only: columns {@code [0, split)} in {@code b}, the rest in {@code b2}. */
  public Gemm b(Span b, long ldb, Span b2, long ldb2, int split) {
    b(b, ldb);
    this.b2 = b2;
    this.ldb2 = ldb2;
    this.splitB = split;
    return this;
  }

  /** B as {@link GemmKernels#pack} made it for this layout, n and k. */
  public Gemm packedB(Span packed) {
    this.b = packed;
    this.ldb = 0;
    this.b2 = null;
    this.packedB = true;
    return this;
  }

  /** C: [m,n]. */
  public Gemm c(Span c, long ldc) {
    this.c = c;
    this.ldc = ldc;
    this.c2 = null;
    this.splitN = 0;
    return this;
  }

  /** C in two parts: columns {@code [0, splitN)} in {@code c}, the rest in {@code c2}. */
  public Gemm c(Span c, long ldc, Span c2, long ldc2, int splitN) {
    this.c = c;
    this.ldc = ldc;
    this.c2 = c2;
    this.ldc2 = ldc2;
    this.splitN = splitN;
    return this;
  }

  /** Whether the product is added to what C holds. */
  public Gemm accumulate(boolean accumulate) {
    this.accumulate = accumulate;
    return this;
  }

  /** [n], or shorter: then it is added to the first columns only. */
  public Gemm bias(@Nullable Span bias) {
    return bias(bias, null);
  }

  /** As {@link #bias(Span)}; a second one of the same length is added, too. */
  public Gemm bias(@Nullable Span bias, @Nullable Span second) {
    this.bias = bias;
    this.bias2 = second;
    return this;
  }

  /** Where values go before the activation: [m, columns] of the first {@code columns} columns. */
  public Gemm pre(@Nullable Span pre, long ld, int columns) {
    this.pre = pre;
    this.ldPre = ld;
    this.preColumns = columns;
    return this;
  }

  /** Applies {@code f} to the first {@code columns} columns. */
  public Gemm activation(Activation f, int columns) {
    this.activation = f;
    this.activationColumns = columns;
    this.saved = null;
    return this;
  }

  /** Multiplies the first {@code columns} columns by {@code f'(saved)}; saved is [m, columns]. */
  public Gemm activationGradient(Activation f, int columns, Span saved, long ldSaved) {
    this.activation = f;
    this.activationColumns = columns;
    this.saved = saved;
    this.ldSaved = ldSaved;
    return this;
  }

  /**
   * Whether the activated left half gates the right half, as in SwiGLU; C is [m, n / 2] then. Only NT, with the
   * activation of n / 2 columns and all n kept as {@code pre}; of the rest alpha and biases may be given.
   */
  public Gemm gated(boolean gated) {
    this.gated = gated;
    return this;
  }

  public Gemm qkNorm(@Nullable QkNorm qkNorm) {
    this.qkNorm = qkNorm;
    return this;
  }

  /** LayerScale: [n]. */
  public Gemm columnScale(@Nullable Span columnScale) {
    this.columnScale = columnScale;
    return this;
  }

  /** F32, one factor per {@code rowsPerScale} rows: [ceil(m / rowsPerScale)]. */
  public Gemm rowScale(@Nullable Span rowScale, int rowsPerScale) {
    this.rowScale = rowScale;
    this.rowsPerScale = rowsPerScale;
    return this;
  }

  /** [m,n]; may be C itself. */
  public Gemm residual(@Nullable Span residual, long ld) {
    this.residual = residual;
    this.ldResidual = ld;
    return this;
  }

  /**
   * Sums down C: [n], or shorter for those of the first columns only. The bias gradient of the layer below when C is
   * its output's gradient.
   */
  public Gemm columnSums(@Nullable Sums columnSums) {
    this.columnSums = columnSums;
    return this;
  }

  /** The sums of A over k, TN only: [m]. The bias gradient of this layer. */
  public Gemm operandSums(@Nullable Sums operandSums) {
    this.operandSums = operandSums;
    return this;
  }

  public float alpha() {
    return alpha;
  }

  public boolean accumulate() {
    return accumulate;
  }

  public Span a() {
    return given(a, "a");
  }

  public long lda() {
    return lda;
  }

  public @Nullable Span a2() {
    return a2;
  }

  public long lda2() {
    return lda2;
  }

  /** Where along k A's second span begins: {@code k} if it does not. */
  public int splitK() {
    return a2 == null || layout == Layout.TN ? k : splitK;
  }

  /** Where along m A's second span begins: {@code m} if it does not. */
  public int splitM() {
    return a2 == null || layout != Layout.TN ? m : splitK;
  }

  public Span b() {
    return given(b, "b");
  }

  public long ldb() {
    return ldb;
  }

  public @Nullable Span b2() {
    return b2;
  }

  public long ldb2() {
    return ldb2;
  }

  /** Where along n B's second span begins: {@code n} if it does not. */
  public int splitB() {
    return b2 == null ? n : splitB;
  }

  public boolean packedB() {
    return packedB;
  }

  public Span c() {
    return given(c, "c");
  }

  public long ldc() {
    return ldc;
  }

  public @Nullable Span c2() {
    return c2;
  }

  public long ldc2() {
    return ldc2;
  }

  /** Columns of C. */
  public int columns() {
    return gated ? n / 2 : n;
  }

  /** Columns of C in its first span: all when C is one span. */
  public int splitN() {
    return c2 == null ? columns() : splitN;
  }

  public @Nullable Span bias() {
    return bias;
  }

  public @Nullable Span bias2() {
    return bias2;
  }

  public @Nullable Span pre() {
    return pre;
  }

  public long ldPre() {
    return ldPre;
  }

  public int preColumns() {
    return pre == null ? 0 : preColumns;
  }

  /** Leading columns whose value is rounded before what follows the bias (step 3). */
  public int roundedColumns() {
    if (columnScale != null) {
      return n;
    }
    int changed = saved == null ? activationColumns() : 0;
    if (qkNorm != null) {
      changed = Math.max(changed, qkNorm.begin() + 2 * qkNorm.heads() * qkNorm.headDim());
    }
    return Math.max(changed, preColumns());
  }

  public Activation activation() {
    return activation;
  }

  public int activationColumns() {
    return activation == Activation.NONE ? 0 : activationColumns;
  }

  public boolean gated() {
    return gated;
  }

  /** The saved pre-activation when the activation's gradient is asked for. */
  public @Nullable Span saved() {
    return saved;
  }

  public long ldSaved() {
    return ldSaved;
  }

  public @Nullable QkNorm qkNorm() {
    return qkNorm;
  }

  public @Nullable Span columnScale() {
    return columnScale;
  }

  public @Nullable Span rowScale() {
    return rowScale;
  }

  public int rowsPerScale() {
    return rowsPerScale;
  }

  public @Nullable Span residual() {
    return residual;
  }

  public long ldResidual() {
    return ldResidual;
  }

  public @Nullable Sums columnSums() {
    return columnSums;
  }

  public @Nullable Sums operandSums() {
    return operandSums;
  }

  private static Span given(@Nullable Span span, String name) {
    if (span == null) {
      throw new IllegalArgumentException(name + ": not set, expected a span");
    }
    return span;
  }
}
