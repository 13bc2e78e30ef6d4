package dev.fovea.vit.model;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.Recompute;
import java.util.EnumMap;
import java.util.Map;

/** What a model costs, from its configuration alone: parameters, operations, and memory in training. */
public final class Costs {
  private final VitConfig config;
  private final long d;
  private final long n;

  /** A part of a model that parameters belong to. */
  public enum Part {
    /** The stem. */
    PATCHES,
    /** Class and register tokens. */
    PREFIX,
    /** Learned positions. */
    POSITIONS,
    /** All blocks. */
    BLOCKS,
    /** Norms before and after the blocks. */
    NORMS,
    /** MAP pooling, and a norm of the pooled vector. */
    POOL,
    /** Pre-logits and classifier. */
    CLASSIFIER
  }

  private Costs(VitConfig config) {
    this.config = config;
    d = config.width();
    n = config.patches();
  }

  /** The costs of a model at the picture size it is configured for. */
  public static Costs of(VitConfig config) {
    return new Costs(config);
  }

  /** Number of parameters of every part. */
  public Map<Part, Long> parameters() {
    Map<Part, Long> counts = new EnumMap<>(Part.class);
    for (Part part : Part.values()) {
      counts.put(part, 0L);
    }
    ParameterShapes.of(config).forEach((name, shape) -> counts.merge(part(name), shape.count(), Long::sum));
    return counts;
  }

  private static Part part(String name) {
    return switch (name.substring(0, Math.max(name.indexOf('.'), 0))) {
      case "patch_embed" -> Part.PATCHES;
      case "blocks" -> Part.BLOCKS;
      case "norm_pre", "norm" -> Part.NORMS;
      case "pool", "head_norm" -> Part.POOL;
      case "pre_logits", "head" -> Part.CLASSIFIER;
      default -> name.equals("prefix") ? Part.PREFIX : Part.POSITIONS;
    };
  }

  /**
   * Multiplications with an addition, of one picture's forward pass: matrix products and attention, as papers count
   * them. DeiT and timm print these as FLOPs.
   */
  public long multiplyAdds() {
    return trunkMultiplyAdds() + headMultiplyAdds();
  }

  /** Operations of one picture's forward pass, two for every multiplication with an addition. */
  public long flops() {
    return 2 * multiplyAdds();
  }

  /** {@link #flops} without pooling and classifier, as Scaling ViT counts them. */
  public long trunkFlops() {
    return 2 * trunkMultiplyAdds();
  }

  private long trunkMultiplyAdds() {
    long tokens = config.tokens();
    long patch = (long) config.channels() * config.patchHeight() * config.patchWidth();
    long stem = switch (config.stem()) {
      case LINEAR -> patch * d;
      case HMLP -> patch * d / 4 + 2 * d * d;
    };
    long branch = tokens * (4 * d * d + d * config.mlp() + config.mlpInner() * d) + 2 * tokens * tokens * d;
    return n * stem + (long) config.depth() * config.branches() * branch;
  }

  private long headMultiplyAdds() {
    long pool =
        config.pool() == VitConfig.Pool.MAP ? 2 * d * d + 2 * n * d * d + 2 * n * d + 2 * d * config.poolMlp() : 0;
    return pool + (long) config.pooled() * config.preLogits() + (long) config.representation() * config.classes();
  }

  /** Bytes per picture that a tape holds between forward and backward pass. */
  public long savedBytes(Recompute policy, DType dtype) {
    return new ActivationMemory(config, policy, dtype).saved();
  }

  /**
   * Most bytes per picture during the backward pass: what is saved, what is made again, and the gradients that are
   * under way; those of parameters are not counted.
   */
  public long peakBytes(Recompute policy, DType dtype) {
    return new ActivationMemory(config, policy, dtype).peak();
  }
}
