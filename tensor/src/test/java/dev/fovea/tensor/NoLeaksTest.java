package dev.fovea.tensor;

import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.kernels.DType;
import org.junit.jupiter.api.Test;

class NoLeaksTest {
  @Test
  void passesWhatIsClean() {
    var before = NoLeaks.Snapshot.take();
    try (Scope _ = Scope.open()) {
      Tensor.zeros(Shape.of(10), DType.F32);
    }
    before.check();
  }

  @Test
  void namesWhatIsLeftInUse() {
    var before = NoLeaks.Snapshot.take();
    Tensor left;
    try (Scope scope = Scope.open().label("parameters")) {
      left = scope.keep(Tensor.zeros(Shape.of(10), DType.F32));
    }
    String message = assertThrows(AssertionError.class, before::check).getMessage();
    assertTrue(message.startsWith("the test leaves\n40 bytes (parameters) in use, made\n\tat "), message);
    assertTrue(message.contains("NoLeaksTest.namesWhatIsLeftInUse(NoLeaksTest.java:"), message);
    left.close();
    before.check();
  }

  @Test
  void namesAndClosesScopesLeftOpen() {
    var before = NoLeaks.Snapshot.take();
    Scope.open();
    Tensor.zeros(Shape.of(10), DType.F32);
    String message = assertThrows(AssertionError.class, before::check).getMessage();
    assertTrue(message.startsWith("the test leaves\nscope (opened at "), message);
    assertTrue(message.contains("NoLeaksTest.namesAndClosesScopesLeftOpen(NoLeaksTest.java:"), message);
    assertNull(Scope.innermost());
    before.check();
  }
}
