package dev.fovea.vit.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Fixed positions, against numbers of big_vision's formula in numpy. */
final class SinCosTest {
  @Test
  void aGridOfTwoByThree() {
    try (Scope scope = Scope.open()) {
      Tensor positions = SinCos.positions(new Grid(2, 3), 8, DType.F32);
      assertEquals(Shape.of(6, 8), positions.shape());
      float[] values = positions.toFloats();
      float[] first = {0, 0, 1, 1, 0, 0, 1, 1};
      float[] last = {0.90929743f, 2.0e-4f, -0.41614684f, 0.99999998f, 0.84147098f, 1.0e-4f, 0.54030231f, 0.999999995f};
      assertArrayEquals(first, Arrays.copyOfRange(values, 0, 8), 1e-6f);
      assertArrayEquals(last, Arrays.copyOfRange(values, 40, 48), 1e-6f);
    }
  }
}
