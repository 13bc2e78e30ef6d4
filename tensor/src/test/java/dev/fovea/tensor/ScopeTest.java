package dev.fovea.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.fovea.kernels.DType;
import org.junit.jupiter.api.Test;

class ScopeTest {
  @Test
  void keepsAResult() {
    long before = Device.cpu().memory().current();
    try (Scope scope = Scope.open()) {
      Tensor kept;
      try (Scope inner = Scope.open()) {
        Tensor.zeros(Shape.of(100, 100), DType.F32);
        kept = inner.keep(Tensor.of(new float[] {1, 2, 3, 4}, 2, 2));
      }
      assertArrayEquals(new float[] {3, 4}, kept.narrow(1, 1).toFloats());
    }
    assertEquals(before, Device.cpu().memory().current());
  }
}
