package dev.fovea.tensor.ops;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.kernels.Activation;
import dev.fovea.kernels.DType;
import dev.fovea.tensor.CpuDevice;
import dev.fovea.tensor.Device;
import dev.fovea.tensor.Recompute;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tape;
import dev.fovea.tensor.Tensor;
import org.junit.jupiter.api.Test;

/** Weights that were packed once. */
class PackedTest {
  @Test
  void layersGiveTheSameBits() {
    try (Scope scope = Scope.open(Device.cpu())) {
      for (int rows : new int[] {1, 197, 450}) {
        for (int in : new int[] {5, 768}) {
          Tensor x = Tensor.normal(Shape.of(rows, in), DType.F32, 1, 1);
          Tensor weight = Tensor.normal(Shape.of(100, in), DType.F32, 1, 2);
          Tensor bias = Tensor.normal(Shape.of(100), DType.F32, 1, 3);
          Tensor residual = Tensor.normal(Shape.of(rows, 100), DType.F32, 1, 4);
          Tensor packed = weight.packed();
          assertTrue(packed.isPacked());
          assertArrayEquals(
              Linear.of(x, weight).bias(bias).residual(residual).apply().toFloats(),
              Linear.of(x, packed).bias(bias).residual(residual).apply().toFloats());
          assertArrayEquals(
              Linear.of(x, weight).activation(Activation.GELU_ERF).apply().toFloats(),
              Linear.of(x, packed.packed())
                  .activation(Activation.GELU_ERF)
                  .apply()
                  .toFloats());
        }
      }
    }
  }

  @Test
  void othersStayAsTheyAre() {
    try (Scope scope = Scope.open(Device.cpu())) {
      assertFalse(Tensor.zeros(Shape.of(3, 4), DType.BF16).packed().isPacked());
      assertFalse(Tensor.zeros(Shape.of(0, 4), DType.F32).packed().isPacked());
      Tensor vector = Tensor.zeros(Shape.of(4), DType.F32);
      var e = assertThrows(IllegalArgumentException.class, vector::packed);
      assertEquals("packed: got a tensor of shape [4], expected [out, in]", e.getMessage());
      var plain = assertThrows(IllegalStateException.class, vector::packedSpan);
      assertEquals("packedSpan: got a tensor that is not packed, expected what packed() made", plain.getMessage());
    }
  }

  @Test
  void nothingElseReadsThem() {
    try (Scope scope = Scope.open(Device.cpu())) {
      Tensor packed = Tensor.zeros(Shape.of(3, 4), DType.F32).packed();
      String refused = "a packed weight [3, 4] was to be read or written, expected only linear layers of inference";
      assertEquals(
          refused, assertThrows(IllegalStateException.class, packed::span).getMessage());
      assertEquals(
          refused, assertThrows(IllegalStateException.class, packed::segment).getMessage());
      assertEquals(
          refused, assertThrows(IllegalStateException.class, packed::toFloats).getMessage());
      assertEquals(
          refused, assertThrows(IllegalStateException.class, packed::trainable).getMessage());
      assertEquals(
          refused,
          assertThrows(IllegalStateException.class, () -> packed.reshape(12)).getMessage());
      assertEquals("F32 [3, 4] on cpu (packed)", packed.toString());
    }
  }

  @Test
  void noGradientPassesThem() {
    try (Scope scope = Scope.open(Device.cpu());
        Tape tape = Tape.record(Recompute.NONE)) {
      Tensor packed = Tensor.zeros(Shape.of(3, 4), DType.F32).packed();
      Tensor x = Tensor.zeros(Shape.of(2, 4), DType.F32).trainable();
      Linear layer = Linear.of(x, packed);
      assertEquals(
          "weight: got one that is packed for inference while a tape records, expected a plain one",
          assertThrows(IllegalStateException.class, layer::apply).getMessage());
    }
  }

  @Test
  void theirMemoryIsCountedAndFreed() {
    try (CpuDevice device = Device.cpu(1)) {
      try (Scope scope = Scope.open(device)) {
        Tensor weight = Tensor.zeros(Shape.of(64, 50), DType.F32);
        long before = device.memory().current();
        Tensor packed = weight.packed();
        assertEquals(before + 64 * 50 * 4, device.memory().current());
        packed.close();
        assertEquals(before, device.memory().current());
      }
    }
  }
}
