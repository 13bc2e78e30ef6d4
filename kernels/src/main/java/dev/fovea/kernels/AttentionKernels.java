package dev.fovea.kernels;

/**
 * Multi-head attention without the N x N matrix: {@code o = softmax(scale q k^T) v} per image and head, after
 * FlashAttention (arXiv 2205.14135, algorithms 1 and 4). Memory and workspace are linear in the number of tokens.
 *
 * <p>Softmax subtracts each query's largest logit, so that logits of any finite size are safe. A NaN in a query, or in
 * anything that it attends to, makes that query's results NaN. Results do not depend on the number of threads.
 *
 * <p>In the error bounds u is 2^-24, L the largest {@code |scale| sum |q k|} over pairs of a query and a key, and
 * results stored as BF16 are rounded once more.
 */
public interface AttentionKernels {
  /**
   * Writes {@code o} and, if given, {@code lse}: the natural logarithm of the sum of {@code exp(scale q k)} per query.
   *
   * <p>Error bound of o: {@code (2 (headDim + 4) (L + 1) + 2 keys + 16) u} times the largest magnitude of v; of lse:
   * {@code ((headDim + 4) (L + 1) + keys + 16) u}. Where q, k and v are all BF16, a device may round the weights to
   * BF16 before it multiplies them with v, which adds {@code 2^-9} times the largest magnitude of v to the error of o.
   *
   * @throws IllegalArgumentException if an operand is missing, too small or of another dtype than allowed, or o or lse
   *     share elements with anything else
   */
  void forward(Attention call);

  /**
   * Writes {@code dq, dk, dv} from {@code q, k, v, o, lse, dO}, all of which must be given. Keys past an image's valid
   * length get gradient zero.
   *
   * <p>With {@code p = exp(scale q k - lse)} and {@code ds = p (sum dO v - sum dO o)}, each result is a sum of products
   * of p with dO (dv), ds with scale q (dk) or ds with scale k (dq). Error bound, for weights p at most 1: {@code (2
   * (headDim + 4) (L + 2) + queries + 16) u} (dq: keys in place of queries) times the same sum of magnitudes, in which
   * ds counts as {@code p (sum |dO v| + sum |dO o|)}. Where q, k, v, o and dO are all BF16, a device may round p and ds
   * to BF16 before it multiplies them, which adds {@code 2^-9} times that sum of magnitudes.
   *
   * @throws IllegalArgumentException as {@link #forward} does
   */
  void backward(Attention call);

  /**
   * Writes the attention weights from {@code q, k, lse}, for looking at: {@code p} is F32 [batch, heads, queries,
   * keys], and zero for keys past an image's valid length.
   *
   * <p>Error bound, relative: {@code ((headDim + 4) (L + 1) + 4) u}; weights below 2^-126 may be zero.
   *
   * @throws IllegalArgumentException as {@link #forward} does
   */
  void weights(Attention call, Span p);

  /** These kernels behind the checks that the contract promises. */
  static AttentionKernels checked(AttentionKernels kernels) {
    return new CheckedAttention(kernels);
  }
}
