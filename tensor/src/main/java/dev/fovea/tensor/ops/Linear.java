package dev.fovea.tensor.ops;

import dev.fovea.kernels.Activation;
import dev.fovea.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * A linear layer {@code y = x W^T} with everything around it that the product's epilogue can carry: one kernel forward.
 *
 * <pre>{@code
 * Tensor h = Linear.of(x, w1).bias(b1).activation(Activation.GELU_ERF).apply();
 * Tensor y = Linear.of(h, w2).bias(b2).scale(gamma).residual(x).apply();
 * }</pre>
 *
 * <p>In full, for x [.., in] and W [out, in]: {@code y = residual + drop scale qkNorm(f(x W^T + bias))}; or
 * {@link #swiglu}. The input may come in two tensors and the output go to two, which is how ViT-22B's parallel block
 * takes two products for its four (section 2.1 of that paper). Every method that sets an option returns this and throws
 * {@link IllegalArgumentException} for a shape that does not fit.
 */
public final class Linear {
  final Tensor x;
  final @Nullable Tensor x2;
  final Tensor weight;
  final int rows;
  final int in;
  final int out;

  /** Columns of the input in its first tensor. */
  final int inLeft;

  /** Columns of the output in its first tensor. */
  int outLeft;

  Activation activation = Activation.NONE;
  int rowsPerDrop = 1;

  @Nullable
  Tensor bias;

  @Nullable
  Tensor bias2;

  /** Whether the output is the left half's SiLU times the right half. */
  boolean gated;

  @Nullable
  QkNorm qkNorm;

  @Nullable
  Tensor scale;

  @Nullable
  Tensor drop;

  @Nullable
  Tensor residual;

  /** What {@link #qkNorm} was given. */
  record QkNorm(
      int heads,
      int headDim,
      float eps,
      boolean centered,
      Tensor qWeight,
      @Nullable Tensor qBias,
      Tensor kWeight,
      @Nullable Tensor kBias) {
    /** Columns of the queries, and of the keys. */
    int width() {
      return heads * headDim;
    }
  }

  /** The two parts of a {@link #split} output. */
  public record Split(Tensor left, Tensor right) {}

  private Linear(Tensor x, @Nullable Tensor x2, Tensor weight) {
    this.x = x;
    this.x2 = x2;
    this.weight = Dims.rank("weight", weight, 2, "[out, in]");
    rows = Math.toIntExact(Dims.rows(x));
    inLeft = Dims.last("x", x);
    in = inLeft + (x2 == null ? 0 : Dims.last("x2", x2));
    out = Math.toIntExact(weight.shape().dim(0));
    outLeft = out;
    if (weight.shape().dim(1) != in) {
      throw new IllegalArgumentException(
          "weight: got %s, expected [out, %d] for the input's columns".formatted(weight.shape(), in));
    }
  }

  /** A layer on x [.., in] with weight [out, in]. */
  public static Linear of(Tensor x, Tensor weight) {
    return new Linear(x, null, weight);
  }

  /** A layer on the columns of x followed by those of x2: weight is [out, in + in2]. */
  public static Linear of(Tensor x, Tensor x2, Tensor weight) {
    Dims.same("x2", x2, Dims.withLast(x.shape(), Dims.last("x2", x2)));
    return new Linear(x, x2, weight);
  }

  /** Adds a bias [out], or a shorter one to the first columns; null for none. */
  public Linear bias(@Nullable Tensor b) {
    if (b != null && (b.shape().rank() != 1 || b.shape().count() > out)) {
      throw new IllegalArgumentException("bias: got %s, expected [%d] or shorter".formatted(b.shape(), out));
    }
    bias = b;
    return this;
  }

  /** Adds two biases [out]: what they are in sum counts, and both get the same gradient. Each may be null for none. */
  public Linear bias(@Nullable Tensor b, @Nullable Tensor second) {
    if (b == null || second == null) {
      return bias(b == null ? second : b);
    }
    bias2 = Dims.vector("bias", second, out);
    return bias(Dims.vector("bias", b, out));
  }

  /** SwiGLU: the output is SiLU of its left half times its right half, and has half the columns. */
  public Linear swiglu() {
    if (out % 2 != 0) {
      throw new IllegalArgumentException("weight: got %s, expected an even number of rows".formatted(weight.shape()));
    }
    gated = true;
    return this;
  }

  /** Applies a pointwise function to the output, or to its left part if it is {@link #split}. */
  public Linear activation(Activation f) {
    activation = f;
    return this;
  }

  /**
   * Normalises each head of the queries and keys that the output (or its right part, if it is {@link #split}) holds as
   * [q | k | ..] (ViT-22B, section 2.1). Weights and biases are [headDim], shared by all heads.
   */
  public Linear qkNorm(
      int heads,
      float eps,
      boolean centered,
      Tensor qWeight,
      @Nullable Tensor qBias,
      Tensor kWeight,
      @Nullable Tensor kBias) {
    int headDim = Dims.last("qWeight", qWeight);
    for (Tensor vector : new @Nullable Tensor[] {qWeight, qBias, kWeight, kBias}) {
      if (vector != null) {
        Dims.vector("qkNorm", vector, headDim);
      }
    }
    qkNorm = new QkNorm(heads, headDim, eps, centered, qWeight, qBias, kWeight, kBias);
    return this;
  }

  /** LayerScale: multiplies by gamma [out]; null for none. */
  public Linear scale(@Nullable Tensor gamma) {
    scale = gamma == null ? null : Dims.vector("scale", gamma, out);
    return this;
  }

  /** Stochastic depth: multiplies each image's rows by its factor of {@code factors}, F32 [batch]; null for none. */
  public Linear drop(@Nullable Tensor factors) {
    if (factors != null && rows % factors.shape().count() != 0) {
      throw new IllegalArgumentException(
          "drop: got %s for %d rows, expected one factor per image".formatted(factors.shape(), rows));
    }
    drop = factors;
    rowsPerDrop = factors == null ? 1 : Math.toIntExact(rows / factors.shape().count());
    return this;
  }

  /** Adds a tensor shaped like the output; null for none. */
  public Linear residual(@Nullable Tensor r) {
    if (r != null) {
      Dims.same("residual", r, Dims.withLast(x.shape(), out));
    }
    residual = r;
    return this;
  }

  /** Computes the output [.., out]. */
  public Tensor apply() {
    check(0);
    return new LinearOperation(this).apply().left();
  }

  /** Computes the output in two tensors: its first {@code columns} columns, and the rest. */
  public Split split(int columns) {
    if (columns < 1 || columns >= out) {
      throw new IllegalArgumentException("columns: got %d, expected 1 to %d".formatted(columns, out - 1));
    }
    check(columns);
    outLeft = columns;
    return new LinearOperation(this).apply();
  }

  /**
   * What a product's epilogue can do, its backward pass cannot always undo: those combinations nobody needs are
   * refused.
   */
  private void check(int columns) {
    if (qkNorm != null && out - columns < 2 * qkNorm.width()) {
      throw new IllegalArgumentException("qkNorm: got %d heads of %d, expected queries and keys within %d columns"
          .formatted(qkNorm.heads, qkNorm.headDim, out - columns));
    }
    if (qkNorm != null && activation != Activation.NONE && columns == 0) {
      throw new IllegalArgumentException("activation: got " + activation + " over queries and keys, expected a split");
    }
    if (gated
        && (columns != 0
            || activation != Activation.NONE
            || qkNorm != null
            || scale != null
            || drop != null
            || residual != null)) {
      throw new IllegalArgumentException(
          "swiglu: got one beside a split, activation, qkNorm, scale, drop or residual, expected it alone");
    }
    if ((scale != null || drop != null || residual != null)
        && (columns != 0 || activation != Activation.NONE || qkNorm != null)) {
      throw new IllegalArgumentException(
          "scale, drop, residual: got one beside a split, activation or qkNorm, expected it alone");
    }
  }
}
