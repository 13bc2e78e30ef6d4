package dev.fovea.tensor.ops;

import dev.fovea.kernels.Activation;
import dev.fovea.tensor.Tensor;
import java.util.List;

/** Two Transformer blocks as models write them. */
final class Blocks {
  private Blocks() {}

  /**
   * A pre-norm block: {@code x + attention(norm x)}, then {@code x + mlp(norm x)}.
   *
   * @param p parameters from index {@code at} on: norm weight, bias; qkv; proj; norm weight, bias; fc1; fc2
   */
  static Tensor sequential(Tensor x, List<Tensor> p, int at, int heads) {
    Tensor y = Ops.layerNorm(x, p.get(at), p.get(at + 1), 1e-6f);
    Tensor qkv = Linear.of(y, p.get(at + 2)).bias(p.get(at + 3)).apply();
    Tensor o = Ops.attention(qkv, heads);
    x = Linear.of(o, p.get(at + 4)).bias(p.get(at + 5)).residual(x).apply();
    y = Ops.layerNorm(x, p.get(at + 6), p.get(at + 7), 1e-6f);
    Tensor h = Linear.of(y, p.get(at + 8))
        .bias(p.get(at + 9))
        .activation(Activation.GELU_ERF)
        .apply();
    return Linear.of(h, p.get(at + 10)).bias(p.get(at + 11)).residual(x).apply();
  }

  /**
   * ViT-22B's block: {@code x + attention(y) + mlp(y)} with {@code y = norm x}, in two products.
   *
   * @param p parameters from index {@code at} on: norm weight; [mlp | q | k | v]; MLP bias; q norm; k norm; [mlp |
   *     attention] out; bias
   */
  static Tensor parallel(Tensor x, List<Tensor> p, int at, int heads) {
    Tensor y = Ops.rmsNorm(x, p.get(at), 1e-6f);
    int mlp = (int) p.get(at + 2).shape().count();
    var in = Linear.of(y, p.get(at + 1))
        .bias(p.get(at + 2))
        .activation(Activation.GELU_TANH)
        .qkNorm(heads, 1e-6f, true, p.get(at + 3), null, p.get(at + 4), null)
        .split(mlp);
    Tensor o = Ops.attention(in.right(), heads);
    return Linear.of(in.left(), o, p.get(at + 5))
        .bias(p.get(at + 6))
        .residual(x)
        .apply();
  }
}
