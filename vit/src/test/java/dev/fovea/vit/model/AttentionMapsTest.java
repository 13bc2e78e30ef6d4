package dev.fovea.vit.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.kernels.Activation;
import dev.fovea.kernels.DType;
import dev.fovea.tensor.Device;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import dev.fovea.vit.weights.TimmConfig;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Attention maps are the probabilities of attention, whatever the block and the head. */
class AttentionMapsTest {
  private static VitConfigBuilder tiny() {
    return TimmConfig.of("vit_tiny_patch16_224").toBuilder()
        .imageHeight(32)
        .imageWidth(48)
        .patchHeight(8)
        .patchWidth(8)
        .width(48)
        .heads(3)
        .mlp(96)
        .depth(3)
        .classes(5);
  }

  /** Against softmax(q k^T / sqrt(headDim)) in double precision, where keys are more and fewer than a head is wide. */
  @ParameterizedTest
  @ValueSource(ints = {5, 16, 17, 40})
  void probabilitiesAreThoseOfTheDefinition(int keys) {
    int heads = 3;
    int headDim = 16;
    int width = heads * headDim;
    int queries = 4;
    try (Scope scope = Scope.open()) {
      Tensor q = Tensor.normal(Shape.of(1, queries, width), DType.F32, 2, 1);
      Tensor k = Tensor.normal(Shape.of(1, keys, width), DType.F32, 2, 2);
      float[][] found = AttentionProbabilities.of(q, k, heads);
      float[] a = q.toFloats();
      float[] b = k.toFloats();
      for (int h = 0; h < heads; h++) {
        for (int i = 0; i < queries; i++) {
          double[] e = new double[keys];
          double sum = 0;
          for (int j = 0; j < keys; j++) {
            double dot = 0;
            for (int c = h * headDim; c < (h + 1) * headDim; c++) {
              dot += (double) a[i * width + c] * b[j * width + c];
            }
            e[j] = Math.exp(dot / Math.sqrt(headDim));
            sum += e[j];
          }
          for (int j = 0; j < keys; j++) {
            assertEquals(e[j] / sum, found[h][i * keys + j], 1e-5);
          }
        }
      }
    }
  }

  @ParameterizedTest
  @EnumSource(VitConfig.Block.class)
  void everyKindOfBlockHasMaps(VitConfig.Block kind) {
    int branches = kind == VitConfig.Block.THINGS ? 2 : 1;
    VitConfig config = tiny().block(kind).branches(branches).build();
    long before = Device.cpu().memory().current();
    try (VisionTransformer model = VisionTransformer.create(config, 7);
        Scope scope = Scope.open()) {
      Tensor pixels = Tensor.normal(Shape.of(1, 3, 32, 48), DType.F32, 1, 3);
      AttentionMaps maps = model.attention(pixels);
      assertEquals("4 x 6", maps.grid().toString());
      assertEquals(List.of(3, 3 * branches, 0), List.of(maps.layers(), maps.heads(), maps.poolHeads()));
      double[] mean = new double[24];
      for (int h = 0; h < maps.heads(); h++) {
        float[] map = maps.head(1, h);
        assertEquals(24, map.length);
        assertTrue(sum(map) > 0.5 && sum(map) < 1, "the class token gets a share");
        for (int i = 0; i < 24; i++) {
          mean[i] += map[i] / (double) maps.heads();
        }
      }
      for (int i = 0; i < 24; i++) {
        assertEquals(mean[i], maps.layer(1)[i], 1e-6);
      }
      assertTrue(sum(maps.rollout()) > 0 && sum(maps.rollout()) < 1);
    }
    assertEquals(before, Device.cpu().memory().current(), "bytes left");
  }

  @Test
  void poolingHasMapsToo() {
    VitConfig config = tiny()
        .pool(VitConfig.Pool.MAP)
        .classToken(false)
        .poolHeads(4)
        .poolMlp(96)
        .poolActivation(Activation.GELU_TANH)
        .build();
    try (VisionTransformer model = VisionTransformer.create(config, 7);
        Scope scope = Scope.open()) {
      AttentionMaps maps = model.attention(Tensor.normal(Shape.of(1, 3, 32, 48), DType.F32, 1, 3));
      assertEquals(4, maps.poolHeads());
      for (int h = 0; h < 4; h++) {
        assertEquals(1, sum(maps.pool(h)), 1e-5);
      }
      assertEquals(1, sum(maps.pool()), 1e-5);
      assertEquals(1, sum(maps.rollout()), 1e-5, "without prefix tokens nothing is lost on the way");
      assertEquals(1, sum(maps.head(0, 0)), 1e-5);
    }
  }

  /** Queries of zero look everywhere alike: half of every layer stays with the token, half is spread evenly. */
  @Test
  void rolloutOfEvenAttentionIsKnown() {
    VitConfig config = tiny().build();
    int tokens = config.tokens();
    var maps = new AttentionMaps(config, config.grid());
    try (Scope scope = Scope.open()) {
      for (int layer = 0; layer < 2; layer++) {
        maps.add(List.of(Tensor.zeros(Shape.of(1, tokens, 3 * 48), DType.F32)), 3);
      }
    }
    float[] expected = new float[24];
    Arrays.fill(expected, (float) ((0.5 + 0.25) / tokens));
    assertArrayEquals(expected, maps.rollout(), 1e-6f);
    assertThrows(IllegalStateException.class, maps::pool);
  }

  @Test
  void onePictureAtATime() {
    try (VisionTransformer model = VisionTransformer.create(tiny().build(), 7);
        Scope scope = Scope.open()) {
      Tensor two = Tensor.zeros(Shape.of(2, 3, 32, 48), DType.F32);
      var e = assertThrows(IllegalArgumentException.class, () -> model.attention(two));
      assertEquals("pixels: got [2, 3, 32, 48], expected a single picture", e.getMessage());
    }
  }

  private static double sum(float[] map) {
    double sum = 0;
    for (float value : map) {
      sum += value;
    }
    return sum;
  }
}
