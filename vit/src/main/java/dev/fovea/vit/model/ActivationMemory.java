package dev.fovea.vit.model;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.Recompute;

/**
 * Bytes per picture that training needs beside parameters. Every term is what an operation keeps for its backward pass:
 * a product its input, and its output before an activation, QK-norm or LayerScale; a norm its input; attention its
 * three inputs and its output. Values that two operations keep count once. {@link Recompute#SELECTIVE} makes outputs of
 * norms and activations again; {@link Recompute#OFFLOAD} counts what it puts away in the host's memory.
 */
final class ActivationMemory {
  private final VitConfig config;
  private final Recompute policy;
  private final DType dtype;
  private final long tokens;
  private final long d;
  private final long m;
  private final long inner;
  private final long qk;
  private final long scale;

  ActivationMemory(VitConfig config, Recompute policy, DType dtype) {
    this.config = config;
    this.policy = policy;
    this.dtype = dtype;
    tokens = config.tokens();
    d = config.width();
    m = config.mlp();
    inner = config.mlpInner();
    qk = config.qkNorm() == null ? 0 : 2 * d;
    scale = config.layerScale() ? d : 0;
  }

  /** Bytes between forward and backward pass. */
  long saved() {
    long block = policy.replays() ? bytes(d, 0) : block();
    return stem() + config.depth() * tokens * block + head();
  }

  /** Most bytes during the backward pass: that of the pooling, or that of the last block, which comes after it. */
  long peak() {
    long atPool = config.pool() == VitConfig.Pool.MAP ? bytes(2 * d * config.patches(), 0) : 0;
    long replayed = policy.replays() ? block() - bytes(d, 0) : 0;
    return Math.max(saved() + atPool, saved() - head() + tokens * (replayed + bytes(gradients(), 0)));
  }

  /** Elements in the dtype of activations, and statistics in that of sums. */
  private long bytes(long elements, long statistics) {
    return elements * dtype.bytes() + statistics * dtype.accumulator().bytes();
  }

  /** What a norm or an activation made is not kept if it can be made again. */
  private long made(long elements) {
    return policy == Recompute.SELECTIVE ? 0 : elements;
  }

  /** Per token, all operations of a block. */
  private long block() {
    long attention = 3 * d + d + qk;
    long statistics = 2 + config.heads() + (config.qkNorm() == null ? 0 : 4L * config.heads());
    if (config.block() == VitConfig.Block.PARALLEL) {
      return bytes(d + made(d) + attention + m + made(m) + scale, statistics);
    }
    long mlp = m + made(inner);
    long branch = made(d) + attention + scale + made(d) + mlp + scale;
    return bytes(2 * d + config.branches() * branch, config.branches() * (statistics + 2));
  }

  /**
   * Per token, elements of gradients and of what is made again while a block's last operations are differentiated: that
   * is when most of its values are still there. A replay lets go of an operation's results only with the operation.
   */
  private long gradients() {
    boolean replay = policy.replays();
    long again = policy == Recompute.SELECTIVE ? inner : 0;
    if (config.block() == VitConfig.Block.PARALLEL) {
      return Math.max(2 * d + Math.max(m, again) + scale, 5 * d);
    }
    long atOutput = d + Math.max(inner, again) + scale;
    return atOutput + (replay ? d : 0);
  }

  private long stem() {
    long n = config.patches();
    long pixels = n * config.channels() * config.patchHeight() * config.patchWidth();
    long elements = pixels + (config.preNorm() == null ? 0 : made(tokens * d));
    long statistics = config.preNorm() == null ? 0 : 2 * tokens;
    if (config.stem() == VitConfig.Stem.HMLP) {
      // Values of the three layers before their norms or functions, and cut for the next one: 4 d, d and d a patch.
      elements += (4 + 4 + 1 + 1) * n * d;
      if (config.stemNorm() != null) {
        elements += n * d + made((4 + 1) * n * d);
        statistics += 2 * (16 + 4 + 1) * n;
      }
    }
    return bytes(elements, statistics);
  }

  private long head() {
    long elements = config.finalNorm() == null ? 0 : tokens * d;
    long statistics = config.finalNorm() == null ? 0 : 2 * tokens;
    long n = config.patches();
    if (config.pool() == VitConfig.Pool.MAP) {
      boolean normed = config.finalNorm() != null && config.prefixTokens() == 0;
      elements += (normed ? made(n * d) : n * d) + 2 * n * d + 3 * d + made(d);
      elements += config.poolMlp() + made(config.poolMlp());
      statistics += config.poolHeads() + 2;
    }
    if (config.headNorm() != null) {
      elements += d;
      statistics += 2;
    }
    if (config.preLogits() > 0) {
      elements += config.pooled() + config.preLogits();
    }
    return bytes(elements + (config.classes() > 0 ? config.representation() : 0), statistics);
  }
}
