package dev.fovea.tensor.ops;

import dev.fovea.kernels.Activation;
import dev.fovea.kernels.DType;
import dev.fovea.kernels.ImageKernels.Patches;
import dev.fovea.tensor.Tensor;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** Every operation with its options, as functions of trainable tensors: what gradient checks run over. */
final class GradientCases {
  private GradientCases() {}

  /**
   * @param shapes of the trainable tensors, filled with normal numbers
   * @param function of those tensors, to a floating result
   */
  record Case(String name, List<long[]> shapes, Function<List<Tensor>, Tensor> function) {
    @Override
    public String toString() {
      return name;
    }
  }

  static List<Case> all() {
    List<Case> cases = new ArrayList<>();
    norms(cases);
    linears(cases);
    attentions(cases);
    pointwise(cases);
    tokens(cases);
    losses(cases);
    blocks(cases);
    return cases;
  }

  private static void add(List<Case> to, String name, Function<List<Tensor>, Tensor> function, long[]... shapes) {
    to.add(new Case(name, List.of(shapes), function));
  }

  private static long[] s(long... dims) {
    return dims;
  }

  private static void norms(List<Case> to) {
    add(to, "layerNorm", t -> Ops.layerNorm(t.get(0), t.get(1), t.get(2), 1e-6f), s(2, 3, 7), s(7), s(7));
    add(to, "layerNorm plain", t -> Ops.layerNorm(t.get(0), null, null, 1e-5f), s(3, 5));
    add(to, "rmsNorm", t -> Ops.rmsNorm(t.get(0), t.get(1), 1e-6f), s(3, 9), s(9));
    add(
        to,
        "layerNorm + residual",
        t -> Ops.add(t.get(0), Ops.layerNorm(t.get(0), t.get(1), null, 1e-6f)),
        s(3, 7),
        s(7));
  }

  private static void linears(List<Case> to) {
    add(to, "linear", t -> Linear.of(t.get(0), t.get(1)).apply(), s(2, 3, 5), s(4, 5));
    add(to, "linear bias", t -> Linear.of(t.get(0), t.get(1)).bias(t.get(2)).apply(), s(3, 5), s(4, 5), s(4));
    add(
        to,
        "linear short bias",
        t -> Linear.of(t.get(0), t.get(1)).bias(t.get(2)).apply(),
        s(3, 5),
        s(4, 5),
        s(2));
    for (Activation f : Activation.values()) {
      add(
          to,
          "linear " + f,
          t -> Linear.of(t.get(0), t.get(1)).bias(t.get(2)).activation(f).apply(),
          s(3, 5),
          s(4, 5),
          s(4));
    }
    add(
        to,
        "mlp",
        t -> {
          Tensor h = Linear.of(t.get(0), t.get(1))
              .bias(t.get(2))
              .activation(Activation.GELU_ERF)
              .apply();
          return Linear.of(h, t.get(3)).bias(t.get(4)).residual(t.get(0)).apply();
        },
        s(3, 5),
        s(6, 5),
        s(6),
        s(5, 6),
        s(5));
    add(
        to,
        "mlp whose inside is read twice",
        t -> {
          Tensor h = Linear.of(t.get(0), t.get(1))
              .bias(t.get(2))
              .activation(Activation.GELU_TANH)
              .apply();
          return Ops.add(Linear.of(h, t.get(3)).apply(), Linear.of(h, t.get(4)).apply());
        },
        s(3, 5),
        s(6, 5),
        s(6),
        s(4, 6),
        s(4, 6));
    add(
        to,
        "linear scale drop residual",
        t -> Linear.of(t.get(0), t.get(1))
            .bias(t.get(2))
            .scale(t.get(3))
            .drop(Tensor.of(new float[] {0, 1.25f}, 2).to(wide(t.get(0))))
            .residual(t.get(4))
            .apply(),
        s(2, 3, 5),
        s(4, 5),
        s(4),
        s(4),
        s(2, 3, 4));
    add(to, "linear scale", t -> Linear.of(t.get(0), t.get(1)).scale(t.get(2)).apply(), s(3, 5), s(4, 5), s(4));
    add(
        to,
        "linear two inputs",
        t -> Linear.of(t.get(0), t.get(1), t.get(2)).bias(t.get(3)).apply(),
        s(3, 5),
        s(3, 2),
        s(4, 7),
        s(4));
    add(
        to,
        "linear split",
        t -> {
          var halves = Linear.of(t.get(0), t.get(1)).bias(t.get(2)).split(3);
          return Ops.add(halves.left(), Ops.scale(halves.right(), 2));
        },
        s(4, 5),
        s(6, 5),
        s(6));
    add(
        to,
        "linear split, one half unread",
        t -> Linear.of(t.get(0), t.get(1))
            .bias(t.get(2))
            .activation(Activation.GELU_ERF)
            .split(2)
            .left(),
        s(4, 5),
        s(6, 5),
        s(6));
    add(
        to,
        "qkv with QK-norm",
        t -> Linear.of(t.get(0), t.get(1))
            .bias(t.get(2))
            .qkNorm(2, 1e-6f, true, t.get(3), t.get(4), t.get(5), t.get(6))
            .apply(),
        s(3, 4),
        s(18, 4),
        s(18),
        s(3),
        s(3),
        s(3),
        s(3));
    add(
        to,
        "qkv with QK-norm, rms",
        t -> Linear.of(t.get(0), t.get(1))
            .qkNorm(2, 1e-6f, false, t.get(2), null, t.get(3), null)
            .apply(),
        s(3, 4),
        s(18, 4),
        s(3),
        s(3));
  }

  private static DType wide(Tensor x) {
    return x.dtype().accumulator();
  }

  private static void attentions(List<Case> to) {
    add(to, "attention", t -> Ops.attention(t.get(0), 2), s(2, 5, 18));
    add(to, "attention with lengths", t -> Ops.attention(t.get(0), 2, Tensor.of(new int[] {3, 5}, 2)), s(2, 5, 18));
    add(to, "attention q, kv", t -> Ops.crossAttention(t.get(0), t.get(1), 2, null), s(2, 1, 6), s(2, 5, 12));
    add(
        to,
        "attention q, k, v",
        t -> Ops.crossAttention(t.get(0), t.get(1), t.get(2), 2, null),
        s(1, 3, 8),
        s(1, 4, 8),
        s(1, 4, 8));
  }

  private static void pointwise(List<Case> to) {
    for (Activation f : Activation.values()) {
      add(to, "pointwise " + f, t -> Ops.activation(f, t.get(0)), s(2, 7));
    }
    add(to, "swiglu", t -> Ops.swiglu(t.get(0)), s(3, 10));
    add(to, "add", t -> Ops.add(t.get(0), t.get(1)), s(3, 5), s(3, 5));
    add(to, "add to itself", t -> Ops.add(t.get(0), t.get(0)), s(3, 5));
    add(to, "scale", t -> Ops.scale(t.get(0), -2.5f), s(3, 5));
    add(to, "residual", t -> Ops.residual(t.get(0), t.get(1), null, null), s(2, 3, 5), s(2, 3, 5));
    add(
        to,
        "residual scale drop",
        t -> Ops.residual(
            t.get(0), t.get(1), t.get(2), Tensor.of(new float[] {2, 0}, 2).to(wide(t.get(0)))),
        s(2, 3, 5),
        s(2, 3, 5),
        s(5));
  }

  private static void tokens(List<Case> to) {
    add(to, "assemble", t -> Ops.assemble(t.get(0), t.get(1), t.get(2)), s(2, 3, 5), s(2, 5), s(5, 5));
    add(
        to,
        "assemble, positions of patches",
        t -> Ops.assemble(t.get(0), t.get(1), t.get(2)),
        s(2, 3, 5),
        s(1, 5),
        s(3, 5));
    add(to, "assemble, patches alone", t -> Ops.assemble(t.get(0), null, t.get(1)), s(2, 3, 5), s(3, 5));
    add(to, "meanPool", t -> Ops.meanPool(t.get(0), 1, null), s(2, 4, 5));
    add(to, "meanPool with lengths", t -> Ops.meanPool(t.get(0), 1, Tensor.of(new int[] {2, 4}, 2)), s(2, 4, 5));
    add(to, "slice", t -> Ops.slice(t.get(0), 1, 1, 2), s(2, 4, 3));
    add(to, "slice last axis", t -> Ops.slice(t.get(0), -1, 0, 2), s(2, 3, 4));
    add(to, "reshape", t -> Ops.scale(t.get(0).reshape(3, -1), 2).reshape(2, 6), s(3, 4));
    add(to, "concat", t -> Ops.concat(t.get(0), t.get(1)), s(2, 3, 4), s(2, 3, 5));
    add(to, "gather", t -> Ops.gather(t.get(0), Tensor.of(new int[] {2, 0, 2}, 3)), s(4, 5));
    add(to, "mixRows", t -> Ops.mixRows(Tensor.of(new float[] {0.5f, 0.25f, 1, -2, 0, 3}, 2, 3), t.get(0)), s(3, 5));
    Patches patches = new Patches(2, 3, 4, 5, 2, 2, true);
    add(
        to,
        "patchify",
        t -> Ops.patchify(patches, t.get(0), null, null, t.get(0).dtype()),
        s(2, 4, 5, 3));
  }

  private static void losses(List<Case> to) {
    add(
        to,
        "softmaxCrossEntropy",
        t -> Ops.softmaxCrossEntropy(t.get(0), Tensor.of(new int[] {1, 0, 3}, 3), 0.1f),
        s(3, 4));
    add(
        to,
        "sigmoidCrossEntropy",
        t -> Ops.scale(Ops.sigmoidCrossEntropy(t.get(0), Tensor.of(new long[] {1, 0, 3}, 3), 0), 0.5f),
        s(3, 4));
    add(to, "meanSquaredError", t -> Ops.scale(Ops.meanSquaredError(t.get(0), t.get(1)), 3), s(3, 5), s(3, 5));
  }

  private static void blocks(List<Case> to) {
    add(
        to,
        "sequential block",
        t -> Blocks.sequential(t.get(0), t, 1, 2),
        s(2, 3, 6),
        s(6),
        s(6),
        s(18, 6),
        s(18),
        s(6, 6),
        s(6),
        s(6),
        s(6),
        s(8, 6),
        s(8),
        s(6, 8),
        s(6));
    add(
        to,
        "parallel block",
        t -> Blocks.parallel(t.get(0), t, 1, 2),
        s(2, 3, 6),
        s(6),
        s(8 + 18, 6),
        s(8),
        s(3),
        s(3),
        s(6, 8 + 6),
        s(6));
  }
}
