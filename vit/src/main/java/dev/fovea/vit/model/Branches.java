package dev.fovea.vit.model;

import dev.fovea.kernels.Activation;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.ops.Linear;
import dev.fovea.tensor.ops.Ops;
import dev.fovea.vit.model.Parameters.LinearLayer;
import dev.fovea.vit.model.Parameters.NormLayer;
import dev.fovea.vit.model.Parameters.QkNorm;
import org.jspecify.annotations.Nullable;

/** The two kinds of residual branches that blocks are made of. What is not read again is freed at once. */
final class Branches {
  private Branches() {}

  /** {@code residual + scale proj(attention(qkv(norm x)))}. */
  record Attention(
      int heads,
      NormLayer norm,
      LinearLayer qkv,
      @Nullable QkNorm qkNorm,
      LinearLayer proj,
      @Nullable Tensor scale,
      Drop drop) {
    static Attention of(Parameters p, VitConfig config, String at, String norm, String scale, Drop drop) {
      return new Attention(
          config.heads(),
          p.norm(at + norm, config.norm()),
          p.linear(at + "attn.qkv."),
          p.qkNorm(at + "attn.", config),
          p.linear(at + "attn.proj."),
          p.optional(at + scale),
          drop);
    }

    Tensor add(Tensor x, Tensor residual, Pass pass) {
      try (Tensor attended = attended(x)) {
        return proj.on(attended)
            .scale(scale)
            .drop(drop.factors(pass))
            .residual(residual)
            .apply();
      }
    }

    private Tensor attended(Tensor x) {
      try (Tensor projected = projected(x)) {
        return Ops.attention(projected, heads);
      }
    }

    /** [q | k | v] of every token. */
    Tensor projected(Tensor x) {
      try (Tensor y = norm.on(x)) {
        return QkNorm.apply(qkNorm, qkv.on(y)).apply();
      }
    }
  }

  /** {@code residual + scale fc2(f(fc1(norm x)))}. */
  record Mlp(NormLayer norm, Inner inner, @Nullable Tensor scale, Drop drop) {
    static Mlp of(Parameters p, VitConfig config, String at, String norm, String scale, Drop drop) {
      return new Mlp(
          p.norm(at + norm, config.norm()),
          Inner.of(p, at + "mlp.", config.activation(), config.gated()),
          p.optional(at + scale),
          drop);
    }

    Tensor add(Tensor x, Tensor residual, Pass pass) {
      try (Tensor hidden = hidden(x)) {
        return inner
            .fc2
            .on(hidden)
            .scale(scale)
            .drop(drop.factors(pass))
            .residual(residual)
            .apply();
      }
    }

    private Tensor hidden(Tensor x) {
      try (Tensor y = norm.on(x)) {
        return inner.hidden(y);
      }
    }
  }

  /** An MLP without its norm: the second layer is left for the caller to finish. */
  record Inner(LinearLayer fc1, LinearLayer fc2, Activation activation, boolean gated) {
    static Inner of(Parameters p, String at, Activation activation, boolean gated) {
      return new Inner(p.linear(at + "fc1."), p.linear(at + "fc2."), activation, gated);
    }

    Linear on(Tensor y) {
      return fc2.on(hidden(y));
    }

    Tensor hidden(Tensor y) {
      Linear first = fc1.on(y);
      return (gated ? first.swiglu() : first.activation(activation)).apply();
    }
  }
}
