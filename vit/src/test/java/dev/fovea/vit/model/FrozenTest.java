package dev.fovea.vit.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.CpuDevice;
import dev.fovea.tensor.Device;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Models with packed weights: the same answers, in no more memory. */
final class FrozenTest {
  private static final int WIDTH = 96;

  private static VitConfig config(VitConfig.Block block) {
    return VitConfig.builder()
        .image(64)
        .patch(8)
        .shape(WIDTH, 4, 4 * WIDTH, 3)
        .block(block)
        .classToken(true)
        .classes(10)
        .build();
  }

  @ParameterizedTest
  @EnumSource(VitConfig.Block.class)
  void answersTheSame(VitConfig.Block block) {
    VitConfig config = config(block);
    try (CpuDevice device = Device.cpu(2)) {
      VisionTransformer plain = VisionTransformer.create(config, Initialisation.of(3), device);
      try (Scope scope = Scope.open(device)) {
        Tensor pixels = Tensor.normal(Shape.of(2, 3, 64, 64), DType.F32, 1, 4);
        float[] expected = plain.forward(pixels).preLogits().toFloats();
        long weights = device.memory().current();
        try (VisionTransformer frozen = plain.frozen()) {
          assertTrue(frozen.parameters().get("blocks.0." + first(block)).isPacked());
          assertTrue(device.memory().current() <= weights * 1.02, "plain weights are gone");
          assertArrayEquals(expected, frozen.forward(pixels).preLogits().toFloats());
        }
      }
      assertEquals(0, device.memory().current());
    }
  }

  private static String first(VitConfig.Block block) {
    return switch (block) {
      case SEQUENTIAL -> "attn.qkv.weight";
      case PARALLEL -> "in_proj.weight";
      case THINGS -> "attns.0.attn.qkv.weight";
    };
  }

  @ParameterizedTest
  @EnumSource(value = VitConfig.Block.class, names = "SEQUENTIAL")
  void activationsAreFreedAtOnce(VitConfig.Block block) {
    VitConfig config = config(block);
    try (CpuDevice device = Device.cpu(1);
        VisionTransformer model =
            VisionTransformer.create(config, Initialisation.of(3), device).frozen();
        Scope scope = Scope.open(device)) {
      Tensor pixels = Tensor.normal(Shape.of(8, 3, 64, 64), DType.F32, 1, 4);
      device.memory().resetPeak();
      long before = device.memory().current();
      model.forward(pixels);
      // The second layer of an MLP reads 4 widths, and 1 as residual, and writes 1.
      long largest = 8L * config.tokens() * 6 * WIDTH * 4;
      long used = device.memory().peak() - before;
      assertTrue(used <= 1.2 * largest, used + " bytes where " + largest + " are read and written at once");
    }
  }
}
