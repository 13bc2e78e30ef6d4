package dev.fovea.vit.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.fovea.kernels.DType;
import dev.fovea.tensor.Gradients;
import dev.fovea.tensor.Recompute;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.ops.Ops;
import java.io.IOException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Positions of other grids, against numbers of PyTorch 2.13 (bicubic) and scipy 1.x (bilinear) in float64. */
final class ResamplingTest {
  private static final VitConfig CONFIG = VitConfig.builder()
      .image(32)
      .patch(8)
      .shape(16, 1, 32, 2)
      .classToken(true)
      .prefixPositions(true)
      .pool(VitConfig.Pool.CLASS)
      .resampling(Resampling.BICUBIC_ANTIALIAS)
      .classes(3)
      .build();

  @ParameterizedTest
  @EnumSource(Resampling.class)
  void agreesWithItsOwnLibrary(Resampling resampling) throws IOException {
    JsonNode cases = new ObjectMapper().readTree(ResamplingTest.class.getResourceAsStream("resampling.json"));
    assertEquals(6, cases.size());
    try (Scope scope = Scope.open()) {
      for (JsonNode one : cases) {
        Grid from = grid(one.get("from"));
        Grid to = grid(one.get("to"));
        // Two prefix tokens go before the picture's positions, and stay.
        float[] x = new float[2 + from.patches()];
        x[0] = 100;
        x[1] = -50;
        for (int i = 0; i < from.patches(); i++) {
          x[2 + i] = (float) one.get("x").get(i).asDouble();
        }
        float[] y = Ops.mixRows(resampling.matrix(from, to, 2), Tensor.of(x, x.length, 1))
            .toFloats();
        assertEquals(2 + to.patches(), y.length);
        assertEquals(100, y[0]);
        assertEquals(-50, y[1]);
        for (int i = 0; i < to.patches(); i++) {
          assertEquals(one.get(resampling.name()).get(i).asDouble(), y[2 + i], 1e-5, from + " to " + to + " at " + i);
        }
      }
    }
  }

  private static Grid grid(JsonNode size) {
    return new Grid(size.get(0).asInt(), size.get(1).asInt());
  }

  @ParameterizedTest
  @EnumSource(Resampling.class)
  void theSameGridIsTheIdentity(Resampling resampling) {
    double[][] weights = resampling.weights(5, 5);
    for (int i = 0; i < 5; i++) {
      for (int j = 0; j < 5; j++) {
        assertEquals(i == j ? 1 : 0, weights[i][j], 1e-12);
      }
    }
  }

  @Test
  void aResizedModelSharesWeightsAndAnswersAsADynamicOne() {
    VitConfig dynamic = CONFIG.toBuilder().dynamicSize(true).build();
    try (VisionTransformer model = VisionTransformer.create(dynamic, 1);
        Scope scope = Scope.open()) {
      Tensor wide = Tensor.normal(Shape.of(2, 3, 24, 50), DType.F32, 1, 2);
      float[] direct = model.forward(wide).features().toFloats();
      try (VisionTransformer other = model.resized(24, 50)) {
        assertEquals(new Grid(3, 6), other.config().grid());
        assertArrayEquals(direct, other.forward(wide).features().toFloats(), 1e-6f);
        assertEquals(address(model, "blocks.0.attn.qkv.weight"), address(other, "blocks.0.attn.qkv.weight"), "shared");
        assertNotEquals(address(model, "positions"), address(other, "positions"));
        assertEquals(Shape.of(19, 16), other.parameters().get("positions").shape());
      }
      // Closing the other one took nothing away.
      assertArrayEquals(direct, model.forward(wide).features().toFloats());
    }
  }

  private static long address(VisionTransformer model, String name) {
    return model.parameters().get(name).span().address();
  }

  @Test
  void gradientsReachThePositionsOfTheOldGrid() {
    VitConfig dynamic = CONFIG.toBuilder().dynamicSize(true).build();
    try (VisionTransformer model = VisionTransformer.create(dynamic, 1);
        Scope scope = Scope.open();
        Tape tape = Tape.record(Recompute.NONE)) {
      model.parameters().values().forEach(Tensor::trainable);
      Tensor features =
          model.forward(Tensor.normal(Shape.of(1, 3, 64, 16), DType.F32, 1, 2)).features();
      try (Gradients gradients = tape.backward(features, Tensor.normal(features.shape(), DType.F32, 1, 3))) {
        Tensor positions = gradients.of(model.parameters().get("positions"));
        assertEquals(Shape.of(17, 16), positions.shape());
        boolean any = false;
        for (float g : positions.toFloats()) {
          any |= g != 0;
        }
        assertTrue(any);
      }
    }
  }

  @Test
  void otherSizesAreRefusedUnlessDynamic() {
    try (VisionTransformer model = VisionTransformer.create(CONFIG, 1);
        Scope scope = Scope.open()) {
      String message = assertThrows(
              IllegalArgumentException.class, () -> model.forward(Tensor.zeros(Shape.of(1, 3, 32, 40), DType.F32)))
          .getMessage();
      assertEquals("pixels: got [1, 3, 32, 40], expected [batch, 3, 32, 32]", message);
    }
  }
}
