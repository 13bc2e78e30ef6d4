package dev.fovea.kernels;

/**
 * Multi-head attention without the N x N matrix: {@code o = softmax(scale q k^T) v} per image and head.
 * Memory and workspace are linear in the number of tokens.
 */
public interface AttentionKernels {
  /**
   * Writes {@code o} and, if given, {@code lse}: the log of the sum of {@code exp(scale q k)} per query.
   *
   * <p>Error bound: {@code (headDim + keys + 16) u} times the largest magnitude of v, for logits within
   * +-80.
   */
  void forward(Attention call);

  /**
   * Writes {@code dq, dk, dv} from {@code q, k, v, o, lse, dO}, all of which must be given. Keys past an
   * image's valid length get gradient zero.
   */
  void backward(Attention call);

  /**
   * Writes the attention weights from {@code q, k, lse}, for looking at: {@code p} is F32 [batch, heads,
   * queries, keys].
   */
  void weights(Attention call, Span p);
}
