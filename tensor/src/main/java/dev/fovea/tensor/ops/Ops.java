package dev.fovea.tensor.ops;

import dev.fovea.kernels.Activation;
import dev.fovea.kernels.DType;
import dev.fovea.kernels.ImageKernels.Patches;
import dev.fovea.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/**
 * Differentiable operations. Results are made in the current {@link dev.fovea.tensor.Scope}, on the operands' device,
 * in the dtype of the first operand. Every method throws {@link IllegalArgumentException} for shapes that do not fit.
 * Linear layers have a class of their own: {@link Linear}.
 */
public final class Ops {
  private Ops() {}

  /**
   * LayerNorm over the last axis: {@code (x - mean) / sqrt(var + eps) weight + bias}.
   *
   * @param x [.., width]
   * @param weight [width] or null for 1
   * @param bias [width] or null for 0
   */
  public static Tensor layerNorm(Tensor x, @Nullable Tensor weight, @Nullable Tensor bias, float eps) {
    return new Normalize(x, weight, bias, eps, true).apply();
  }

  /** RMSNorm over the last axis: {@code x / sqrt(mean(x^2) + eps) weight}. */
  public static Tensor rmsNorm(Tensor x, @Nullable Tensor weight, float eps) {
    return new Normalize(x, weight, null, eps, false).apply();
  }

  /**
   * Self-attention, softmax(q k^T / sqrt(headDim)) v for each head.
   *
   * @param qkv [batch, tokens, 3 width], rows of [q | k | v]
   * @return [batch, tokens, width]
   */
  public static Tensor attention(Tensor qkv, int heads) {
    return new Attend(heads, null, qkv).apply();
  }

  /**
   * Self-attention in which image b attends to its first {@code lengths[b]} tokens only.
   *
   * @param lengths I32 [batch]
   */
  public static Tensor attention(Tensor qkv, int heads, Tensor lengths) {
    return new Attend(heads, lengths, qkv).apply();
  }

  /**
   * Attention of other queries to these keys and values, as in a MAP head.
   *
   * @param q [batch, queries, width]
   * @param kv [batch, keys, 2 width], rows of [k | v]
   * @return [batch, queries, width]
   */
  public static Tensor crossAttention(Tensor q, Tensor kv, int heads, @Nullable Tensor lengths) {
    return new Attend(heads, lengths, q, kv).apply();
  }

  /**
   * Attention with separate keys and values.
   *
   * @param q [batch, queries, width]
   * @param k [batch, keys, width]
   * @param v [batch, keys, width]
   * @return [batch, queries, width]
   */
  public static Tensor crossAttention(Tensor q, Tensor k, Tensor v, int heads, @Nullable Tensor lengths) {
    return new Attend(heads, lengths, q, k, v).apply();
  }

  /** {@code f(x)}. */
  public static Tensor activation(Activation f, Tensor x) {
    return new Pointwise(f, x).apply();
  }

  /** {@code silu(a) b} for x = [a | b]: [.., 2 width] to [.., width]. */
  public static Tensor swiglu(Tensor x) {
    return new SwiGlu(x).apply();
  }

  /** The same values in another floating-point dtype; gradients are rounded on their way back. */
  public static Tensor cast(Tensor x, DType dtype) {
    return new Cast(x, dtype).apply();
  }

  /** {@code x + y}. */
  public static Tensor add(Tensor x, Tensor y) {
    return new Combine(1, x, 1, y).apply();
  }

  /** {@code factor x}. */
  public static Tensor scale(Tensor x, float factor) {
    return new Combine(factor, x, 0, null).apply();
  }

  /**
   * A residual branch, {@code x + drop scale branch}.
   *
   * @param scale LayerScale [width] or null
   * @param drop stochastic depth, F32 [batch] or null
   */
  public static Tensor residual(Tensor x, Tensor branch, @Nullable Tensor scale, @Nullable Tensor drop) {
    return new Branch(x, branch, scale, drop).apply();
  }

  /**
   * Makes a sequence of prefix tokens and patches, plus positions.
   *
   * @param patches [batch, patches, width]
   * @param prefix class and register tokens, [prefixes, width]; or null
   * @param positions [patches, width], or [prefixes + patches, width] if prefix tokens have positions too; or null
   * @return [batch, prefixes + patches, width]
   */
  public static Tensor assemble(Tensor patches, @Nullable Tensor prefix, @Nullable Tensor positions) {
    return new Assemble(patches, prefix, positions).apply();
  }

  /**
   * The mean over tokens from {@code first} on.
   *
   * @param x [batch, tokens, width]
   * @param lengths I32 [batch]: tokens that count, the first ones included; or null for all
   * @return [batch, width]
   */
  public static Tensor meanPool(Tensor x, int first, @Nullable Tensor lengths) {
    return new MeanPool(x, first, lengths).apply();
  }

  /** A copy of {@code [first, first + count)} of an axis (from the end if negative). */
  public static Tensor slice(Tensor x, int axis, long first, long count) {
    return new Slice(x, axis, first, count).apply();
  }

  /** The columns of x, then those of y: [.., a] and [.., b] to [.., a + b]. */
  public static Tensor concat(Tensor x, Tensor y) {
    return new Concat(x, y).apply();
  }

  /**
   * Rows of x by index: {@code y[i] = x[index[i]]}, x seen as rows of its last axis.
   *
   * @param index I32 [rows]
   * @return [rows, width]
   */
  public static Tensor gather(Tensor x, Tensor index) {
    return new Gather(x, index).apply();
  }

  /**
   * Rows that are weighted sums of other rows, {@code y = M x}, as in resampling positions.
   *
   * @param mix the weights M, F32 [rows of y, rows of x]: a constant, for which there is no gradient
   * @param x [rows, width]
   */
  public static Tensor mixRows(Tensor mix, Tensor x) {
    return new MixRows(mix, x).apply();
  }

  /**
   * Cuts pictures or feature maps into patches, each a row over (channel, y, x).
   *
   * @param pictures as {@code patches} says; F32, BF16 or U8
   * @param scale F32 [channels], multiplied first; or null
   * @param shift F32 [channels], then added; or null
   * @param dtype of the result
   * @return [batch, patches, channels patchHeight patchWidth]
   */
  public static Tensor patchify(
      Patches patches, Tensor pictures, @Nullable Tensor scale, @Nullable Tensor shift, DType dtype) {
    return new CutPatches(patches, pictures, scale, shift, dtype).apply();
  }

  /**
   * Mean softmax cross-entropy.
   *
   * @param logits [rows, classes]
   * @param target labels, I32 or I64 [rows]; or probabilities, F32 [rows, classes]
   * @param smoothing share of the target spread evenly over all classes
   * @return a scalar
   */
  public static Tensor softmaxCrossEntropy(Tensor logits, Tensor target, float smoothing) {
    return new CrossEntropy(false, logits, target, smoothing).apply();
  }

  /** Sigmoid cross-entropy, summed over classes and averaged over rows (Scaling ViT, section 3). */
  public static Tensor sigmoidCrossEntropy(Tensor logits, Tensor target, float smoothing) {
    return new CrossEntropy(true, logits, target, smoothing).apply();
  }

  /**
   * The mean over all elements of {@code (x - target)^2}.
   *
   * @param target in the shape of x, perhaps of another dtype
   * @return a scalar
   */
  public static Tensor meanSquaredError(Tensor x, Tensor target) {
    return new SquaredError(x, target).apply();
  }
}
