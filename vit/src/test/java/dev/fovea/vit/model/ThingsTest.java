package dev.fovea.vit.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.Device;
import dev.fovea.tensor.Gradients;
import dev.fovea.tensor.Recompute;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.ops.Ops;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Sequential models turned into parallel ones (Three things, section 3). */
final class ThingsTest {
  private static final VitConfig CONFIG = VitConfig.builder()
      .image(16)
      .patch(4)
      .shape(16, 6, 24, 2)
      .layerScale(true)
      .pool(VitConfig.Pool.MEAN)
      .classes(3)
      .build();

  private static VisionTransformer model() {
    return VisionTransformer.create(CONFIG, Initialisation.of(5).withLayerScale(0.5f), Device.cpu());
  }

  @Test
  void parametersAreTheSameTensorsRearranged() {
    try (VisionTransformer model = model();
        VisionTransformer parallel = model.parallel(3)) {
      assertEquals(VitConfig.Block.THINGS, parallel.config().block());
      assertEquals(3, parallel.config().branches());
      assertEquals(2, parallel.config().depth());
      same(model, "blocks.0.norm1.weight", parallel, "blocks.0.attns.0.norm.weight");
      same(model, "blocks.1.attn.qkv.weight", parallel, "blocks.0.attns.1.attn.qkv.weight");
      same(model, "blocks.2.ls1", parallel, "blocks.0.attns.2.ls");
      same(model, "blocks.3.norm2.bias", parallel, "blocks.1.ffns.0.norm.bias");
      same(model, "blocks.4.mlp.fc1.bias", parallel, "blocks.1.ffns.1.mlp.fc1.bias");
      same(model, "blocks.5.ls2", parallel, "blocks.1.ffns.2.ls");
      same(model, "head.weight", parallel, "head.weight");
      Map<Long, String> addresses = new HashMap<>();
      model.parameters().forEach((name, tensor) -> addresses.put(tensor.span().address(), name));
      parallel
          .parameters()
          .forEach((name, t) -> assertNotNull(addresses.remove(t.span().address()), name));
      assertEquals(Map.of(), addresses);
    }
  }

  private static void same(VisionTransformer a, String name, VisionTransformer b, String other) {
    assertEquals(
        a.parameters().get(name).span().address(),
        b.parameters().get(other).span().address(),
        name);
  }

  /** Where all branches of a block but one do nothing, side by side is as one after the other. */
  @Test
  void branchesThatDoNothingMakeNoDifference() {
    try (VisionTransformer model = model();
        VisionTransformer parallel = model.parallel(2);
        Scope scope = Scope.open()) {
      for (int block = 0; block < 6; block += 2) {
        fill(model, "blocks." + (block + 1) + ".ls1", 0);
        fill(model, "blocks." + block + ".ls2", 0);
      }
      Tensor pixels = Tensor.normal(Shape.of(2, 3, 16, 16), DType.F32, 1, 2);
      assertArrayEquals(
          model.forward(pixels).features().toFloats(),
          parallel.forward(pixels).features().toFloats(),
          1e-6f);
    }
  }

  /** One block of three branches of each kind: what each alone adds, added up. */
  @Test
  void branchesAddUp() {
    try (VisionTransformer model = model();
        VisionTransformer parallel = model.parallel(6);
        Scope scope = Scope.open()) {
      for (int block = 0; block < 6; block++) {
        fill(model, "blocks." + block + ".ls2", 0);
      }
      Tensor pixels = Tensor.normal(Shape.of(1, 3, 16, 16), DType.F32, 1, 2);
      VitConfig plain = parallel.config().toBuilder().finalNorm(null).build();
      Map<String, Tensor> shared = new HashMap<>();
      parallel.parameters().forEach((name, t) -> {
        if (!name.startsWith("norm.")) {
          shared.put(name, t.reshape(t.shape()));
        }
      });
      try (VisionTransformer bare = new VisionTransformer(plain, shared)) {
        float[] all = bare.forward(pixels).features().toFloats();
        scales(model, -1);
        float[] sum = bare.forward(pixels).features().toFloats();
        float[] x = sum.clone();
        for (int branch = 0; branch < 6; branch++) {
          scales(model, branch);
          float[] one = bare.forward(pixels).features().toFloats();
          for (int i = 0; i < sum.length; i++) {
            sum[i] += one[i] - x[i];
          }
        }
        assertArrayEquals(sum, all, 1e-5f);
      }
    }
  }

  /** Attention of one branch only, or of none. */
  private static void scales(VisionTransformer model, int on) {
    for (int block = 0; block < 6; block++) {
      fill(model, "blocks." + block + ".ls1", block == on ? 0.5f : 0);
    }
  }

  private static void fill(VisionTransformer model, String name, float value) {
    Tensor tensor = model.parameters().get(name);
    tensor.device().kernels().elementwise().fill(tensor.span(), value);
  }

  @Test
  void gradientsAreThoseOfTheSameParameters() {
    try (VisionTransformer model = model();
        Scope scope = Scope.open()) {
      model.parameters().values().forEach(Tensor::trainable);
      try (VisionTransformer parallel = model.parallel(2);
          Tape tape = Tape.record(Recompute.BLOCK)) {
        Tensor logits = parallel
            .forward(Tensor.normal(Shape.of(2, 3, 16, 16), DType.F32, 1, 2))
            .logits();
        try (Gradients gradients = tape.backward(Ops.softmaxCrossEntropy(logits, Tensor.of(new int[] {0, 2}, 2), 0))) {
          Tensor ours = gradients.of(parallel.parameters().get("blocks.0.ffns.1.mlp.fc2.weight"));
          assertNotNull(ours);
          assertSame(ours, gradients.of(model.parameters().get("blocks.1.mlp.fc2.weight")));
        }
      }
    }
  }

  @Test
  void onlySequentialModelsOfAMultipleInDepthCanBe() {
    assertEquals(
        "branches: got 4, expected a divisor of the depth, 6",
        assertThrows(IllegalArgumentException.class, () -> Things.parallel(CONFIG, 4))
            .getMessage());
    VitConfig parallel = Things.parallel(CONFIG, 2);
    assertEquals(
        "block: got THINGS, expected SEQUENTIAL",
        assertThrows(IllegalArgumentException.class, () -> Things.parallel(parallel, 1))
            .getMessage());
  }
}
