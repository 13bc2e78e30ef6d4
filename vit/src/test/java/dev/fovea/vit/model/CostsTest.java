package dev.fovea.vit.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.DynamicTest.dynamicTest;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.CpuDevice;
import dev.fovea.tensor.Device;
import dev.fovea.tensor.Recompute;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.ops.Ops;
import dev.fovea.vit.model.VitConfig.Block;
import dev.fovea.vit.model.VitConfig.Norm;
import dev.fovea.vit.model.VitConfig.Pool;
import dev.fovea.vit.model.VitConfig.Stem;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Memory in training by the formulas, against what a device counts while models are trained. */
final class CostsTest {
  private static final int BATCH = 4;
  private static final double TOLERANCE = 0.1;

  private static Map<String, VitConfig> models() {
    VitConfigBuilder base = VitConfig.builder()
        .image(56)
        .patch(8)
        .shape(64, 2, 256, 4)
        .pool(Pool.MEAN)
        .classes(10);
    VitConfig plain = base.build();
    Map<String, VitConfig> models = new LinkedHashMap<>();
    models.put("mean", plain);
    models.put("map", plain.toBuilder().pool(Pool.MAP).build());
    models.put(
        "class, qk-norm, LayerScale, pre-norm",
        plain.toBuilder()
            .classToken(true)
            .pool(Pool.CLASS)
            .qkNorm(Norm.layer(1e-6f))
            .layerScale(true)
            .preNorm(Norm.layer(1e-6f))
            .preLogits(64)
            .build());
    models.put("gated", plain.toBuilder().gated(true).mlp(352).build());
    models.put(
        "parallel",
        plain.toBuilder().block(Block.PARALLEL).norm(Norm.rms(1e-6f)).build());
    models.put(
        "22B",
        plain.toBuilder()
            .block(Block.PARALLEL)
            .norm(Norm.rms(1e-6f))
            .qkNorm(Norm.layer(1e-6f))
            .qkvBias(false)
            .pool(Pool.MAP)
            .build());
    models.put(
        "things",
        plain.toBuilder().block(Block.THINGS).branches(2).layerScale(true).build());
    models.put(
        "hmlp", plain.toBuilder().stem(Stem.HMLP).stemNorm(Norm.layer(1e-6f)).build());
    models.put("hmlp of folded norms", plain.toBuilder().stem(Stem.HMLP).build());
    return models;
  }

  @TestFactory
  List<DynamicTest> memoryIsAsTheFormulasSay() {
    List<DynamicTest> tests = new ArrayList<>();
    models().forEach((name, config) -> {
      for (Recompute policy : Recompute.values()) {
        tests.add(dynamicTest(name + ", " + policy, () -> compare(config, policy, DType.F32)));
        if (config.block() == Block.PARALLEL && config.pool() == Pool.MAP) {
          tests.add(dynamicTest(name + ", " + policy + ", BF16", () -> compare(config, policy, DType.BF16)));
        }
      }
    });
    return tests;
  }

  private static void compare(VitConfig config, Recompute policy, DType dtype) {
    try (CpuDevice device = Device.cpu(1);
        VisionTransformer model =
            VisionTransformer.create(config, Initialisation.of(1).withDtype(dtype), device);
        Scope scope = Scope.open(device)) {
      model.parameters().values().forEach(Tensor::trainable);
      Tensor pixels = Tensor.normal(Shape.of(BATCH, 3, config.imageHeight(), config.imageWidth()), dtype, 1, 2);
      long before = device.memory().current();
      try (Tape tape = Tape.record(policy)) {
        Tensor logits;
        try (Scope inside = Scope.open(device)) {
          logits = inside.keep(model.forward(pixels).logits());
        }
        long saved = device.memory().current() - before;
        Costs costs = Costs.of(config);
        assertEquals(1, (double) saved / (BATCH * costs.savedBytes(policy, dtype)), TOLERANCE, "saved");
        device.memory().resetPeak();
        Tensor loss = Ops.softmaxCrossEntropy(logits, Tensor.of(new int[BATCH], BATCH), 0);
        tape.backward(loss, (parameter, gradient) -> {});
        long peak = device.memory().peak() - before;
        // A parameter's gradient is freed when it is complete: that of one layer is there at a time.
        double layer = 4.0
            * ParameterShapes.of(config).values().stream()
                .mapToLong(Shape::count)
                .max()
                .orElseThrow();
        double expected = BATCH * costs.peakBytes(policy, dtype) + layer;
        assertEquals(1, peak / expected, TOLERANCE, "peak");
      }
    }
  }
}
