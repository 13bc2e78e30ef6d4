package dev.fovea.vit.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.fovea.kernels.Activation;
import dev.fovea.kernels.DType;
import dev.fovea.tensor.CpuDevice;
import dev.fovea.tensor.Device;
import dev.fovea.tensor.Gradients;
import dev.fovea.tensor.Recompute;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.ops.Ops;
import dev.fovea.vit.model.VitConfig.Block;
import dev.fovea.vit.model.VitConfig.Norm;
import dev.fovea.vit.model.VitConfig.Pool;
import dev.fovea.vit.model.VitConfig.Positions;
import dev.fovea.vit.model.VitConfig.Stem;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Models of every kind: gradients are slopes of the loss, and the same bits under every policy. */
final class VisionTransformerTest {
  private static final int BATCH = 2;

  /** Parameters whose own slope was compared. */
  private static final Set<String> CHECKED = new HashSet<>();

  private static Map<String, UnaryOperator<VitConfigBuilder>> kinds() {
    Norm bare = new Norm(true, false, 1e-6f);
    Map<String, UnaryOperator<VitConfigBuilder>> kinds = new TreeMap<>();
    kinds.put("map", b -> b);
    kinds.put(
        "class token, registers, pre-logits",
        b -> b.classToken(true)
            .registers(2)
            .pool(Pool.CLASS)
            .prefixPositions(true)
            .preLogits(10));
    kinds.put(
        "mean, norms everywhere",
        b -> b.pool(Pool.MEAN)
            .preNorm(Norm.layer(1e-5f))
            .headNorm(Norm.layer(1e-5f))
            .finalNorm(null)
            .patchBias(false));
    kinds.put("class and mean", b -> b.classToken(true).pool(Pool.CLASS_AND_MEAN));
    kinds.put("gated", b -> b.gated(true).mlp(48));
    kinds.put(
        "quick gelu, no biases",
        b -> b.activation(Activation.GELU_QUICK)
            .qkvBias(false)
            .projBias(false)
            .mlpBias(false)
            .norm(bare));
    kinds.put("rms", b -> b.norm(Norm.rms(1e-6f)).finalNorm(Norm.rms(1e-6f)).qkNorm(Norm.rms(1e-6f)));
    kinds.put(
        "22B", b -> b.block(Block.PARALLEL).norm(Norm.rms(1e-6f)).qkNorm(bare).qkvBias(false));
    kinds.put(
        "parallel, one output bias",
        b -> b.block(Block.PARALLEL).projBias(false).layerScale(true));
    kinds.put("parallel, attention's output bias", b -> b.block(Block.PARALLEL).mlpBias(false));
    kinds.put(
        "parallel, no biases",
        b -> b.block(Block.PARALLEL).mlpBias(false).projBias(false).qkvBias(false));
    kinds.put("things", b -> b.block(Block.THINGS).branches(3).layerScale(true));
    kinds.put("hmlp", b -> b.stem(Stem.HMLP).stemNorm(Norm.layer(1e-6f)));
    kinds.put("hmlp, folded", b -> b.stem(Stem.HMLP));
    kinds.put("sincos", b -> b.positions(Positions.SINCOS));
    kinds.put("no positions", b -> b.positions(Positions.NONE));
    return kinds;
  }

  @TestFactory
  List<DynamicTest> gradientsAreSlopes() {
    List<DynamicTest> tests = new ArrayList<>();
    kinds()
        .forEach((name, change) -> tests.add(dynamicTest(
            name,
            () -> slopes(change
                .apply(VitConfig.builder()
                    .imageHeight(16)
                    .imageWidth(27)
                    .patchHeight(4)
                    .patchWidth(8)
                    .shape(16, 1, 24, 2)
                    .classes(4))
                .build()))));
    return tests;
  }

  private static void slopes(VitConfig config) {
    // One thread: waking another one takes longer than these products.
    try (CpuDevice device = Device.cpu(1);
        VisionTransformer model =
            VisionTransformer.create(config, Initialisation.of(3).withLayerScale(0.5f), device);
        Scope outer = Scope.open(device)) {
      // The classifier starts at zero, where no gradient passes; other zeros would hide mistakes too.
      model.parameters().forEach((name, p) -> {
        if (!name.endsWith("weight") || name.startsWith("head.")) {
          p.copyFrom(Ops.add(p, Tensor.normal(p.shape(), DType.F32, 0.2f, name.hashCode())));
        }
      });
      model.parameters().values().forEach(Tensor::trainable);
      Map<String, float[]> gradients = gradients(model, Recompute.NONE);
      assertEquals(model.parameters().keySet(), gradients.keySet());
      for (Recompute policy : List.of(Recompute.SELECTIVE, Recompute.BLOCK)) {
        gradients(model, policy).forEach((name, g) -> assertArrayEquals(gradients.get(name), g, name));
      }
      // Along a gradient the loss climbs by its length. All together first, then each that no other kind has had.
      double length = slopeAlong(model, gradients.keySet(), gradients, "all");
      gradients.forEach((name, g) -> {
        if (CHECKED.add(name) && Math.sqrt(dot(g, g)) > 1e-3 * length) {
          slopeAlong(model, Set.of(name), gradients, name);
        }
      });
    }
  }

  private static double dot(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (double) a[i] * b[i];
    }
    return sum;
  }

  private static double slopeAlong(
      VisionTransformer model, Set<String> names, Map<String, float[]> gradients, String what) {
    double length = Math.sqrt(names.stream()
        .mapToDouble(name -> dot(gradients.get(name), gradients.get(name)))
        .sum());
    double step = 2e-2 / Math.max(length, 1);
    Map<String, float[]> before = new LinkedHashMap<>();
    names.forEach(name -> before.put(name, model.parameters().get(name).toFloats()));
    double[] losses = new double[2];
    for (int side = 0; side < 2; side++) {
      double factor = (side == 0 ? -step : step) / length;
      names.forEach(name -> {
        float[] moved = before.get(name).clone();
        for (int i = 0; i < moved.length; i++) {
          moved[i] += (float) (factor * gradients.get(name)[i]);
        }
        model.parameters().get(name).copyFrom(moved);
      });
      losses[side] = loss(model).item();
    }
    names.forEach(name -> model.parameters().get(name).copyFrom(before.get(name)));
    assertEquals(1, (losses[1] - losses[0]) / (2 * step) / length, 0.02, what + " of length " + length);
    return length;
  }

  private static Tensor loss(VisionTransformer model) {
    VitConfig config = model.config();
    Tensor pixels = Tensor.normal(Shape.of(BATCH, 3, config.imageHeight(), config.imageWidth()), DType.F32, 1, 2);
    return Ops.softmaxCrossEntropy(model.forward(pixels).logits(), Tensor.of(new int[] {1, 3}, BATCH), 0);
  }

  @Test
  void parametersThatDoNotFitAreListedTogether() {
    VitConfig config =
        VitConfig.builder().image(16).patch(8).shape(16, 1, 24, 2).build();
    try (Scope scope = Scope.open()) {
      Map<String, Tensor> wrong = new LinkedHashMap<>();
      ParameterShapes.of(config).forEach((name, shape) -> wrong.put(name, Tensor.zeros(shape, DType.F32)));
      wrong.remove("norm.bias");
      wrong.put("positions", Tensor.zeros(Shape.of(5, 16), DType.F32));
      wrong.put("cls", Tensor.zeros(Shape.of(1), DType.F32));
      String message = assertThrows(IllegalArgumentException.class, () -> new VisionTransformer(config, wrong))
          .getMessage();
      assertEquals("""
          parameters do not fit the configuration:
            shape: positions is [5, 16], expected [4, 16]
            missing: norm.bias [16]
            unknown: cls\
          """, message);
    }
  }

  private static Map<String, float[]> gradients(VisionTransformer model, Recompute policy) {
    Map<String, float[]> found = new LinkedHashMap<>();
    try (Scope scope = Scope.open(model.parameters().values().iterator().next().device());
        Tape tape = Tape.record(policy);
        Gradients gradients = tape.backward(loss(model))) {
      model.parameters().forEach((name, p) -> {
        Tensor gradient = gradients.of(p);
        assertNotNull(gradient, name);
        found.put(name, gradient.toFloats());
      });
    }
    return found;
  }
}
