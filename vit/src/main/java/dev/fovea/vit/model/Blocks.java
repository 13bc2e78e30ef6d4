package dev.fovea.vit.model;

import dev.fovea.kernels.Activation;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.ops.Linear;
import dev.fovea.tensor.ops.Ops;
import dev.fovea.vit.model.Parameters.LinearLayer;
import dev.fovea.vit.model.Parameters.NormLayer;
import dev.fovea.vit.model.Parameters.QkNorm;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** The blocks of the four papers: each maps [batch, tokens, width] to the same shape. */
final class Blocks {
  private Blocks() {}

  /** One block of a model. */
  interface Block {
    Tensor on(Tensor x, Pass pass);

    /** What its attentions work on: for each, [batch, tokens, 3 width] of [q | k | v]. */
    List<Tensor> projections(Tensor x);
  }

  /** Block {@code index} of a model. */
  static Block of(Parameters p, VitConfig config, int index) {
    String at = "blocks." + index + ".";
    return switch (config.block()) {
      case SEQUENTIAL ->
        new Sequential(
            Branches.Attention.of(p, config, at, "norm1.", "ls1", Drop.of(config, index, 0)),
            Branches.Mlp.of(p, config, at, "norm2.", "ls2", Drop.of(config, index, 1)));
      case PARALLEL -> Parallel.of(p, config, at, Drop.of(config, index, 0));
      case THINGS ->
        new Things(
            IntStream.range(0, config.branches())
                .mapToObj(j ->
                    Branches.Attention.of(p, config, at + "attns." + j + ".", "norm.", "ls", Drop.of(config, index, j)))
                .toList(),
            IntStream.range(0, config.branches())
                .mapToObj(j -> Branches.Mlp.of(
                    p, config, at + "ffns." + j + ".", "norm.", "ls", Drop.of(config, index, config.branches() + j)))
                .toList());
    };
  }

  /** {@code x + attention(x)}, then {@code x + mlp(x)}. */
  record Sequential(Branches.Attention attention, Branches.Mlp mlp) implements Block {
    @Override
    public Tensor on(Tensor x, Pass pass) {
      try (Tensor middle = attention.add(x, x, pass)) {
        return mlp.add(middle, middle, pass);
      }
    }

    @Override
    public List<Tensor> projections(Tensor x) {
      return List.of(attention.projected(x));
    }
  }

  /** {@code x + sum of attentions(x)}, then {@code x + sum of mlps(x)} (Three things, section 3). */
  record Things(List<Branches.Attention> attentions, List<Branches.Mlp> mlps) implements Block {
    @Override
    public Tensor on(Tensor x, Pass pass) {
      Tensor sum = x;
      for (Branches.Attention attention : attentions) {
        sum = attention.add(x, sum, pass);
      }
      x = sum;
      for (Branches.Mlp mlp : mlps) {
        sum = mlp.add(x, sum, pass);
      }
      return sum;
    }

    @Override
    public List<Tensor> projections(Tensor x) {
      return attentions.stream().map(attention -> attention.projected(x)).toList();
    }
  }

  /**
   * {@code x + attention(y) + mlp(y)} with {@code y = norm x}, in two products: [MLP in | q | k | v] and [MLP out |
   * attention out] (ViT-22B, section 2).
   */
  record Parallel(
      int heads,
      int mlp,
      Activation activation,
      NormLayer norm,
      LinearLayer in,
      @Nullable QkNorm qkNorm,
      LinearLayer out,
      @Nullable Tensor attentionBias,
      @Nullable Tensor scale,
      Drop drop)
      implements Block {
    static Parallel of(Parameters p, VitConfig config, String at, Drop drop) {
      return new Parallel(
          config.heads(),
          config.mlp(),
          config.activation(),
          p.norm(at + "in_norm.", config.norm()),
          p.linear(at + "in_proj."),
          p.qkNorm(at, config),
          p.linear(at + "out_proj."),
          p.optional(at + "attn_out.bias"),
          p.optional(at + "ls"),
          drop);
    }

    @Override
    public Tensor on(Tensor x, Pass pass) {
      Linear.Split hiddenAndQkv = project(x);
      Tensor attention = Ops.attention(hiddenAndQkv.right(), heads);
      return out.on(hiddenAndQkv.left(), attention)
          .bias(out.bias(), attentionBias)
          .scale(scale)
          .drop(drop.factors(pass))
          .residual(x)
          .apply();
    }

    private Linear.Split project(Tensor x) {
      return QkNorm.apply(qkNorm, in.on(norm.on(x))).activation(activation).split(mlp);
    }

    @Override
    public List<Tensor> projections(Tensor x) {
      return List.of(project(x).right());
    }
  }
}
