package dev.fovea.kernels;

import org.jspecify.annotations.Nullable;

/**
 * One attention call: sizes and operands. Mutable and reusable like {@link Gemm}.
 *
 * <p>Head {@code h} of query {@code t} in image {@code b} stands at row {@code b * queries + t} of q (and {@code b *
 * keys + t} of k and v), columns {@code [h * headDim, (h+1) * headDim)}. With leading dimensions of 3 d, q, k and v can
 * be the thirds of one fused projection. Head dimensions of 1 to 256 are served. Gradients may not overlap inputs.
 */
public final class Attention {
  public final int batch;
  public final int heads;
  public final int queries;
  public final int keys;
  public final int headDim;

  private float scale;
  private @Nullable Span lengths;
  private final Operand q = new Operand("q");
  private final Operand k = new Operand("k");
  private final Operand v = new Operand("v");
  private final Operand o = new Operand("o");
  private final Operand dO = new Operand("dO");
  private final Operand dq = new Operand("dq");
  private final Operand dk = new Operand("dk");
  private final Operand dv = new Operand("dv");
  private @Nullable Span lse;

  /** A matrix operand: its span and leading dimension. */
  public static final class Operand {
    private final String name;
    private @Nullable Span span;
    private long ld;

    private Operand(String name) {
      this.name = name;
    }

    public Span span() {
      if (span == null) {
        throw new IllegalArgumentException(name + ": not set, expected a span");
      }
      return span;
    }

    public long ld() {
      return ld;
    }

    public String name() {
      return name;
    }

    private void set(Span span, long ld) {
      this.span = span;
      this.ld = ld;
    }
  }

  /** Attention of the given sizes, each at least 1; the scale is 1/sqrt(headDim) unless set. */
  public Attention(int batch, int heads, int queries, int keys, int headDim) {
    if (batch < 1 || heads < 1 || queries < 1 || keys < 1 || headDim < 1 || headDim > 256) {
      throw new IllegalArgumentException(
          "batch, heads, queries, keys, headDim: got %d, %d, %d, %d, %d, expected at least 1 each and headDim <= 256"
              .formatted(batch, heads, queries, keys, headDim));
    }
    this.batch = batch;
    this.heads = heads;
    this.queries = queries;
    this.keys = keys;
    this.headDim = headDim;
    this.scale = (float) (1 / Math.sqrt(headDim));
  }

  public Attention scale(float scale) {
    this.scale = scale;
    return this;
  }

  /**
   * I32 [batch]: image b attends to its first {@code lengths[b]} keys only (1 to {@code keys}; the caller answers for
   * that range, since a device does not look). Null: to all.
   */
  public Attention lengths(@Nullable Span lengths) {
    this.lengths = lengths;
    return this;
  }

  public Attention q(Span span, long ld) {
    q.set(span, ld);
    return this;
  }

  public Attention k(Span span, long ld) {
    k.set(span, ld);
    return this;
  }

  public Attention v(Span span, long ld) {
    v.set(span, ld);
    return this;
  }

  /** The thirds of a fused projection of rows [q | k | v], each {@code heads * headDim} wide. */
  public Attention qkv(Span qkv, long ld) {
    long width = (long) heads * headDim;
    return q(qkv, ld).k(qkv.from(width), ld).v(qkv.from(2 * width), ld);
  }

  public Attention o(Span span, long ld) {
    o.set(span, ld);
    return this;
  }

  /** F32 [batch, heads, queries]. */
  public Attention lse(@Nullable Span lse) {
    this.lse = lse;
    return this;
  }

  public Attention dO(Span span, long ld) {
    dO.set(span, ld);
    return this;
  }

  public Attention dq(Span span, long ld) {
    dq.set(span, ld);
    return this;
  }

  public Attention dk(Span span, long ld) {
    dk.set(span, ld);
    return this;
  }

  public Attention dv(Span span, long ld) {
    dv.set(span, ld);
    return this;
  }

  /** The gradient of {@link #qkv}, in the same layout. */
  public Attention dqkv(Span dqkv, long ld) {
    long width = (long) heads * headDim;
    return dq(dqkv, ld).dk(dqkv.from(width), ld).dv(dqkv.from(2 * width), ld);
  }

  public float scale() {
    return scale;
  }

  public @Nullable Span lengths() {
    return lengths;
  }

  public Operand q() {
    return q;
  }

  public Operand k() {
    return k;
  }

  public Operand v() {
    return v;
  }

  public Operand o() {
    return o;
  }

  public @Nullable Span lse() {
    return lse;
  }

  public Operand dO() {
    return dO;
  }

  public Operand dq() {
    return dq;
  }

  public Operand dk() {
    return dk;
  }

  public Operand dv() {
    return dv;
  }
}
