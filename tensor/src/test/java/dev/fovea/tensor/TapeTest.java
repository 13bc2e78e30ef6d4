package dev.fovea.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.ops.Linear;
import dev.fovea.tensor.ops.Ops;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a tape promises beside gradients: lifetimes, accumulation, release, and what it says when misused. */
final class TapeTest {
  @Test
  void addsUpOverSeveralPasses() {
    try (Scope scope = Scope.open();
        Tape tape = Tape.record(Recompute.NONE);
        Gradients gradients = new Gradients()) {
      Tensor w = Tensor.of(new float[] {1, 2, 3}, 3).trainable();
      for (int i = 0; i < 3; i++) {
        tape.backward(Ops.slice(Ops.scale(w, 2), 0, i, 1), gradients);
      }
      tape.backward(Ops.slice(w, 0, 0, 1), gradients);
      assertArrayEquals(new float[] {3, 2, 2}, gradients.of(w).toFloats());
    }
  }

  @Test
  void handsOutEachGradientOnceWhenComplete() {
    for (Recompute policy : Recompute.values()) {
      try (Scope scope = Scope.open();
          Tape tape = Tape.record(policy)) {
        Tensor first = Tensor.of(new float[] {1, 0, 0, 1}, 2, 2).trainable();
        Tensor second = Tensor.of(new float[] {2, 0, 0, 2}, 2, 2).trainable();
        Tensor x = Tensor.of(new float[] {1, 2}, 1, 2);
        Tensor y = Tape.block(x, in -> Linear.of(in, first).apply());
        y = Tape.block(y, in -> Linear.of(Linear.of(in, second).apply(), second).apply());
        List<Tensor> order = new ArrayList<>();
        tape.backward(Ops.slice(y, 1, 0, 1), (parameter, gradient) -> {
          order.add(parameter);
          assertEquals(parameter.shape(), gradient.shape());
          if (parameter == first) {
            assertArrayEquals(new float[] {4, 8, 0, 0}, gradient.toFloats());
          }
        });
        assertEquals(List.of(second, first), order, policy.toString());
      }
    }
  }

  @Test
  void keepsWhatItNeedsBeyondTheScopesAndNothingAfterwards() {
    Device device = Device.cpu();
    long before = device.memory().current();
    try (Scope scope = Scope.open();
        Tape tape = Tape.record(Recompute.NONE)) {
      Tensor w = Tensor.of(new float[] {1, 2}, 2).trainable();
      Tensor y;
      try (Scope inner = Scope.open()) {
        Tensor hidden = Ops.activation(dev.fovea.kernels.Activation.TANH, w);
        y = inner.keep(Ops.activation(dev.fovea.kernels.Activation.SILU, hidden));
      }
      try (Gradients gradients = tape.backward(y, Tensor.full(y.shape(), DType.F32, 1))) {
        assertEquals(1, gradients.size());
      }
    }
    assertEquals(before, device.memory().current());
  }

  @Test
  void recordsNothingWithoutTrainableOperands() {
    try (Scope scope = Scope.open();
        Tape tape = Tape.record(Recompute.NONE)) {
      Tensor y = Ops.scale(Tensor.of(new float[] {1}, 1), 2);
      assertNull(y.variable());
      var e = assertThrows(IllegalArgumentException.class, () -> tape.backward(y));
      assertTrue(e.getMessage().startsWith("loss: got a tensor that depends on no trainable tensor"), e.getMessage());
    }
  }

  @Test
  void saysWhatIsWrong() {
    try (Scope scope = Scope.open();
        Tape tape = Tape.record(Recompute.NONE)) {
      assertThrows(IllegalStateException.class, () -> Tape.record(Recompute.NONE));
      Tensor w = Tensor.of(new float[] {1, 2}, 2).trainable();
      var shape = assertThrows(IllegalArgumentException.class, () -> tape.backward(Ops.scale(w, 1)));
      assertEquals("loss: got shape [2], expected one element", shape.getMessage());
      var lost = assertThrows(IllegalStateException.class, () -> w.narrow(0, 1));
      assertEquals("narrow: got a tensor that a tape follows, expected none; use Ops.slice", lost.getMessage());
      assertThrows(IllegalStateException.class, () -> w.to(DType.BF16));
      assertThrows(
          IllegalArgumentException.class, () -> Tensor.of(new int[] {1}, 1).trainable());
    }
  }

  @Test
  void aFailedOperationLeavesNothingBehind() {
    Device device = Device.cpu();
    long before = device.memory().current();
    try (Scope scope = Scope.open();
        Tape tape = Tape.record(Recompute.BLOCK)) {
      Tensor w = Tensor.of(new float[] {1, 2}, 1, 2).trainable();
      assertThrows(IllegalArgumentException.class, () -> Tape.block(w, x -> Ops.add(x, Tensor.of(new float[] {1}, 1))));
      Tensor y = Tape.block(w, x -> Ops.scale(x, 3));
      assertEquals(Recompute.BLOCK, tape.policy());
      try (Gradients gradients = tape.backward(y, Tensor.full(y.shape(), DType.F32, 1))) {
        assertArrayEquals(new float[] {3, 3}, gradients.of(w).toFloats());
      }
    }
    assertEquals(before, device.memory().current());
  }
}
