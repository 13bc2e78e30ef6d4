package dev.fovea.vit.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.Device;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import org.junit.jupiter.api.Test;

/** The numbers that training starts from. */
final class InitialisationTest {
  private static final VitConfig CONFIG = VitConfig.builder()
      .image(32)
      .patch(8)
      .shape(64, 2, 192, 4)
      .classToken(true)
      .registers(2)
      .layerScale(true)
      .classes(5)
      .build();

  @Test
  void everyParameterHasItsOwnDistribution() {
    Initialisation start = Initialisation.of(7).withHeadBias(-10);
    try (VisionTransformer model = VisionTransformer.create(CONFIG, start, Device.cpu())) {
      uniform(model, "blocks.0.attn.qkv.weight", 64 + 64);
      uniform(model, "blocks.1.mlp.fc1.weight", 64 + 192);
      uniform(model, "pool.mlp.fc2.weight", 64 + 192);
      uniform(model, "pool.probe", 1 + 64);
      deviation(model, "patch_embed.weight", 1 / Math.sqrt(192), 2 / Math.sqrt(192) / 0.8796);
      deviation(model, "positions", 1 / 8.0, 10);
      deviation(model, "blocks.0.mlp.fc1.bias", 1e-6, 1);
      constant(model, "blocks.0.attn.qkv.bias", 0);
      constant(model, "blocks.0.norm1.weight", 1);
      constant(model, "blocks.0.norm1.bias", 0);
      constant(model, "blocks.0.ls1", 1e-4f);
      constant(model, "head.weight", 0);
      constant(model, "head.bias", -10);
      float[] prefix = values(model, "prefix");
      for (int i = 0; i < prefix.length; i++) {
        assertEquals(i < 64, prefix[i] == 0, "class token 0, registers not");
      }
      try (Scope scope = Scope.open()) {
        float[] logits = model
            .forward(Tensor.normal(Shape.of(2, 3, 32, 32), DType.F32, 1, 3))
            .logits()
            .toFloats();
        for (float logit : logits) {
          assertEquals(-10, logit);
        }
      }
    }
  }

  @Test
  void fusedMatricesKeepTheBoundsOfTheirParts() {
    VitConfig parallel = CONFIG.toBuilder().block(VitConfig.Block.PARALLEL).build();
    try (VisionTransformer model = VisionTransformer.create(parallel, 7)) {
      float[] in = values(model, "blocks.0.in_proj.weight");
      within(in, 0, 192 * 64, 64 + 192);
      within(in, 192 * 64, in.length, 64 + 64);
      float[] out = values(model, "blocks.0.out_proj.weight");
      for (int row = 0; row < 64; row++) {
        within(out, row * 256, row * 256 + 192, 64 + 192);
        within(out, row * 256 + 192, row * 256 + 256, 64 + 64);
      }
    }
  }

  @Test
  void theSameSeedIsTheSameModelWhateverItsDepth() {
    try (VisionTransformer one = VisionTransformer.create(CONFIG, 7);
        VisionTransformer deeper =
            VisionTransformer.create(CONFIG.toBuilder().depth(3).build(), 7);
        VisionTransformer other = VisionTransformer.create(CONFIG, 8)) {
      String name = "blocks.1.mlp.fc1.weight";
      assertArrayEquals(values(one, name), values(deeper, name));
      assertTrue(values(one, name)[0] != values(other, name)[0]);
      assertTrue(values(one, name)[0] != values(one, "blocks.0.mlp.fc1.weight")[0]);
    }
    Initialisation half = Initialisation.of(7).withDtype(DType.BF16).withLayerScale(1);
    try (VisionTransformer model = VisionTransformer.create(CONFIG, half, Device.cpu())) {
      model.parameters().values().forEach(p -> assertEquals(DType.BF16, p.dtype()));
      constant(model, "blocks.1.ls2", 1);
    }
  }

  private static float[] values(VisionTransformer model, String name) {
    return model.parameters().get(name).toFloats();
  }

  private static void uniform(VisionTransformer model, String name, int fans) {
    float[] values = values(model, name);
    within(values, 0, values.length, fans);
    deviation(model, name, Math.sqrt(2.0 / fans), 1);
  }

  /** All within the bound, which the largest nearly reaches. */
  private static void within(float[] values, int from, int to, int fans) {
    double bound = Math.sqrt(6.0 / fans);
    double largest = 0;
    for (int i = from; i < to; i++) {
      largest = Math.max(largest, Math.abs(values[i]));
    }
    assertTrue(largest <= bound, "within the bound");
    assertTrue(largest >= bound * 0.9, "up to the bound");
  }

  private static void deviation(VisionTransformer model, String name, double expected, double most) {
    float[] values = values(model, name);
    double squares = 0;
    for (float value : values) {
      assertTrue(Math.abs(value) <= most, name);
      squares += (double) value * value;
    }
    assertEquals(1, Math.sqrt(squares / values.length) / expected, 0.15, name);
  }

  private static void constant(VisionTransformer model, String name, float expected) {
    for (float value : values(model, name)) {
      assertEquals(expected, value, Math.abs(expected) * 4e-3f, name);
    }
  }
}
