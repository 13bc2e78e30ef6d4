package dev.fovea.vit.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.Gradients;
import dev.fovea.tensor.Recompute;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tape;
import dev.fovea.tensor.Tensor;
import dev.fovea.vit.model.VitConfig.Block;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Stochastic depth: whole branches left out for whole images, the others scaled up, and always the same ones. */
final class DropTest {
  private static final int BATCH = 40;

  private static VitConfig config(Block block, int depth) {
    return VitConfig.builder()
        .image(16)
        .patch(8)
        .shape(16, depth, 24, 2)
        .block(block)
        .branches(block == Block.THINGS ? 2 : 1)
        .dropPath(0.25f)
        .dropPathGrows(false)
        .pool(VitConfig.Pool.MEAN)
        .finalNorm(null)
        .classes(3)
        .build();
  }

  private static Tensor pixels() {
    return Tensor.normal(Shape.of(BATCH, 3, 16, 16), DType.F32, 1, 2);
  }

  /** A parallel block has one branch: an image's tokens are x or x + branch / keep. */
  @Test
  void aBranchIsLeftOutOrScaledUp() {
    VitConfig config = config(Block.PARALLEL, 1);
    try (VisionTransformer model = VisionTransformer.create(config, 1);
        Scope scope = Scope.open()) {
      Tensor pixels = pixels();
      float[] whole = model.forward(pixels).features().toFloats();
      float[] dropped = model.forward(pixels, new Training(7, 3)).features().toFloats();
      float[] factors = factors(7, 3, 0);
      for (String name : new String[] {"blocks.0.out_proj.weight", "blocks.0.out_proj.bias"}) {
        Tensor parameter = model.parameters().get(name);
        parameter.device().kernels().elementwise().fill(parameter.span(), 0);
      }
      float[] x = model.forward(pixels).features().toFloats();
      int image = x.length / BATCH;
      for (int i = 0; i < x.length; i++) {
        assertEquals(x[i] + factors[i / image] * (whole[i] - x[i]), dropped[i], 1e-5);
      }
    }
  }

  private static float[] factors(long seed, long step, int branch) {
    float[] factors = new Drop(0.75f, branch)
        .factors(new Pass(BATCH, new Training(seed, step)))
        .toFloats();
    int zeros = 0;
    for (float factor : factors) {
      assertTrue(factor == 0 || factor == 1 / 0.75f, "0 or 1 / keep");
      zeros += factor == 0 ? 1 : 0;
    }
    assertTrue(zeros >= 2 && zeros <= 20, zeros + " of " + BATCH + " left out at a rate of 1/4");
    return factors;
  }

  @Test
  void drawsFollowFromSeedStepAndBranch() {
    try (Scope scope = Scope.open()) {
      float[] one = factors(1, 2, 3);
      assertArrayEquals(one, factors(1, 2, 3));
      assertFalse(Arrays.equals(one, factors(2, 2, 3)));
      assertFalse(Arrays.equals(one, factors(1, 3, 3)));
      assertFalse(Arrays.equals(one, factors(1, 2, 4)));
      // The words of Philox for element = image and step = step + 2^32 branch.
      Tensor expected = Tensor.empty(Shape.of(BATCH), DType.F32);
      expected.device().kernels().random().keep(expected.span(), 0.75f, 1, 2 + (3L << 32));
      assertArrayEquals(expected.toFloats(), one);
      assertNull(new Drop(1, 0).factors(new Pass(BATCH, new Training(1, 2))));
      assertNull(new Drop(0.5f, 0).factors(new Pass(BATCH, null)));
    }
    assertThrows(IllegalArgumentException.class, () -> new Training(1, 1L << 32));
    assertThrows(IllegalArgumentException.class, () -> new Training(1, -1));
  }

  @Test
  void branchesOfAModelAreNumberedThrough() {
    VitConfig things = config(Block.THINGS, 3);
    assertEquals(new Drop(0.75f, 0), Drop.of(things, 0, 0));
    assertEquals(new Drop(0.75f, 11), Drop.of(things, 2, 3));
    assertEquals(new Drop(0.75f, 3), Drop.of(config(Block.SEQUENTIAL, 3), 1, 1));
  }

  @ParameterizedTest
  @EnumSource(Block.class)
  void everyPolicyDropsTheSame(Block block) {
    try (VisionTransformer model = VisionTransformer.create(config(block, 2), 1)) {
      model.parameters().values().forEach(Tensor::trainable);
      float[] first = null;
      for (Recompute policy : Recompute.values()) {
        try (Scope scope = Scope.open();
            Tape tape = Tape.record(policy)) {
          Tensor logits = model.forward(pixels(), new Training(4, 9)).preLogits();
          Tensor seed = Tensor.normal(logits.shape(), DType.F32, 1, 6);
          try (Gradients gradients = tape.backward(logits, seed)) {
            float[] found =
                gradients.of(model.parameters().get("patch_embed.weight")).toFloats();
            if (first != null) {
              assertArrayEquals(first, found);
            }
            first = found;
          }
        }
      }
      try (Scope scope = Scope.open()) {
        Tensor x = pixels();
        float[] still = model.forward(x, new Training(4, 9)).preLogits().toFloats();
        assertFalse(Arrays.equals(
            still, model.forward(x, new Training(4, 10)).preLogits().toFloats()));
        assertFalse(Arrays.equals(still, model.forward(x).preLogits().toFloats()));
      }
    }
  }
}
