package dev.fovea.vit.model;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The hMLP stem, against the same convolutions in PyTorch 2.13 in float64. */
final class StemsTest {
  private static final int HEIGHT = 32;
  private static final int WIDTH = 53;

  private static VitConfig config(boolean batchNorm) {
    return VitConfig.builder()
        .imageHeight(HEIGHT)
        .imageWidth(WIDTH)
        .shape(16, 1, 16, 2)
        .stem(VitConfig.Stem.HMLP)
        .stemNorm(batchNorm ? null : VitConfig.Norm.layer(1e-6f))
        .build();
  }

  @Test
  void withLayerNormItIsThatOfPyTorch() throws IOException {
    compare(golden(), "ln");
  }

  @Test
  void batchNormsFoldIntoTheLayersBeforeThem() throws IOException {
    compare(golden(), "bn");
  }

  private static JsonNode golden() throws IOException {
    return new ObjectMapper().readTree(StemsTest.class.getResourceAsStream("hmlp.json"));
  }

  private static void compare(JsonNode golden, String norm) {
    boolean batchNorm = norm.equals("bn");
    JsonNode expected = golden.get(norm);
    try (Scope scope = Scope.open()) {
      Tensor pixels = Tensor.of(floats(golden.get("x")), 2, 3, HEIGHT, WIDTH);
      Tensor y = Stems.of(new Parameters(parameters(expected, batchNorm)), config(batchNorm))
          .on(pixels);
      assertEquals(Shape.of(2, 6, 16), y.shape());
      float[] values = y.toFloats();
      double scale = 0;
      for (JsonNode value : expected.get("y")) {
        scale = Math.max(scale, Math.abs(value.asDouble()));
      }
      for (int i = 0; i < values.length; i++) {
        assertEquals(expected.get("y").get(i).asDouble(), values[i], 1e-5 * scale);
      }
    }
  }

  private static Map<String, Tensor> parameters(JsonNode golden, boolean batchNorm) {
    Map<String, Tensor> parameters = new LinkedHashMap<>();
    ParameterShapes.of(config(batchNorm)).forEach((name, shape) -> {
      if (name.startsWith("patch_embed.")) {
        parameters.put(name, Tensor.of(floats(golden.get(name.substring("patch_embed.".length()))), shape.dims()));
      }
    });
    for (int i = 0; batchNorm && i < 3; i++) {
      Tensor weight = parameters.get("patch_embed." + i + ".weight");
      Tensor bias = parameters.get("patch_embed." + i + ".bias");
      float[] folded = weight.toFloats();
      float[] foldedBias = bias.toFloats();
      String at = i + ".norm.";
      BatchNorm.fold(
          folded,
          foldedBias,
          floats(golden.get(at + "weight")),
          floats(golden.get(at + "bias")),
          floats(golden.get(at + "mean")),
          floats(golden.get(at + "variance")),
          1e-5);
      weight.copyFrom(folded);
      bias.copyFrom(foldedBias);
    }
    return parameters;
  }

  private static float[] floats(JsonNode values) {
    float[] floats = new float[values.size()];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) values.get(i).asDouble();
    }
    return floats;
  }

  /** Kernel and stride are equal everywhere: tokens of other patches do not notice that one is masked. */
  @Test
  void everyPatchIsAlone() throws IOException {
    JsonNode golden = golden();
    try (Scope scope = Scope.open()) {
      float[] x = floats(golden.get("x"));
      Stems.Stem stem = Stems.of(new Parameters(parameters(golden.get("ln"), false)), config(false));
      float[] before = stem.on(Tensor.of(x, 2, 3, HEIGHT, WIDTH)).toFloats();
      x[20 * WIDTH + 20] += 3;
      float[] after = stem.on(Tensor.of(x, 2, 3, HEIGHT, WIDTH)).toFloats();
      int patch = 3 + 1;
      double moved = 0;
      for (int i = 0; i < before.length; i++) {
        if (i / 16 != patch) {
          assertEquals(before[i], after[i]);
        } else {
          moved = Math.max(moved, Math.abs(before[i] - after[i]));
        }
      }
      assertTrue(moved > 1e-4);
    }
  }

  @Test
  void normsThatDoNotFitAreRefused() {
    float[] two = new float[2];
    assertEquals(
        "batch norm: got 3 channels beside 2, expected as many",
        assertThrows(
                IllegalArgumentException.class, () -> BatchNorm.fold(new float[4], two, two, two, new float[3], two, 0))
            .getMessage());
    assertEquals(
        "layerWeight: got 5 values, expected a multiple of 2 channels",
        assertThrows(IllegalArgumentException.class, () -> BatchNorm.fold(new float[5], two, two, two, two, two, 0))
            .getMessage());
  }
}
