package dev.fovea.vit.model;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.ops.Ops;
import dev.fovea.vit.model.Parameters.LinearLayer;
import dev.fovea.vit.model.Parameters.NormLayer;

/**
 * Multihead attention pooling (Scaling ViT, section 3.2): a learned query attends to all tokens, then an MLP with a
 * residual around it.
 */
record MapPool(
    int heads, Tensor probe, LinearLayer q, LinearLayer kv, LinearLayer proj, NormLayer norm, Branches.Inner mlp) {
  static MapPool of(Parameters p, VitConfig config) {
    return new MapPool(
        config.poolHeads(),
        p.get("pool.probe"),
        p.linear("pool.q."),
        p.linear("pool.kv."),
        p.linear("pool.proj."),
        p.norm("pool.norm.", config.norm()),
        Branches.Inner.of(p, "pool.mlp.", config.poolActivation(), false));
  }

  /** The learned query, once for each picture: [batch, 1, width]. */
  Tensor queries(long batch) {
    Tensor query = q.on(probe).apply();
    return Ops.gather(query, Tensor.zeros(Shape.of(batch), DType.I32))
        .reshape(batch, 1, query.shape().dim(-1));
  }

  /** [k | v] of every token, [batch, tokens, 2 width]. */
  Tensor keysAndValues(Tensor x) {
    return kv.on(x).apply();
  }

  /** [batch, tokens, width] to [batch, width]. */
  Tensor on(Tensor x) {
    long batch = x.shape().dim(0);
    long width = x.shape().dim(2);
    Tensor attended = Ops.crossAttention(queries(batch), keysAndValues(x), heads, null);
    Tensor y = proj.on(attended.reshape(batch, width)).apply();
    return mlp.on(norm.on(y)).residual(y).apply();
  }
}
