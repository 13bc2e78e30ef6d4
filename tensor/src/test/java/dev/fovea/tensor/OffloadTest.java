package dev.fovea.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fovea.kernels.Activation;
import dev.fovea.kernels.DType;
import dev.fovea.kernels.cuda.KernelBinary;
import dev.fovea.kernels.ptx.PtxDriver;
import dev.fovea.kernels.ptx.PtxOptions;
import dev.fovea.tensor.ops.Ops;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Inputs of blocks in the host's memory: on a machine that does what it is asked late, so that a missing wait shows.
 */
final class OffloadTest {
  private static final int COUNT = 3000;
  private static final long BYTES = 4 * COUNT;

  private CudaDevice device;

  @BeforeAll
  static void theBuildCompiledKernels() {
    assumeTrue(
        new KernelBinary("elementwise").ptx() != null, "the build found no nvcc, so there are no GPU kernels to run");
  }

  @BeforeEach
  void open() {
    device = CudaDevice.over(new PtxDriver(PtxOptions.standard().withDeferred(true)));
  }

  @AfterEach
  void nothingIsLeft() {
    if (device != null) {
      assertEquals(0, device.memory().current(), device.memory().inUse());
      device.close();
    }
  }

  private record Found(float[] gradient, long saved, long peak) {}

  /** {@code x = x + gelu(x + w)} so many times over. */
  private Found run(Recompute policy, int blocks) {
    try (Scope _ = Scope.open(device)) {
      Tensor w = Tensor.normal(Shape.of(COUNT), DType.F32, 0.1f, 1).trainable();
      Tensor start = Tensor.normal(Shape.of(COUNT), DType.F32, 1, 2);
      Tensor ones = Tensor.full(Shape.of(COUNT), DType.F32, 1);
      long before = device.memory().current();
      device.memory().resetPeak();
      try (Tape tape = Tape.record(policy)) {
        Tensor x = start;
        for (int i = 0; i < blocks; i++) {
          Tensor y = Tape.block(x, in -> Ops.add(in, Ops.activation(Activation.GELU_TANH, Ops.add(in, w))));
          if (x != start) {
            x.close();
          }
          x = y;
        }
        long saved = device.memory().current() - before - BYTES;
        try (Gradients gradients = tape.backward(x, ones)) {
          return new Found(gradients.of(w).toFloats(), saved, device.memory().peak() - before);
        }
      }
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 7})
  void gradientsAreThoseOfTheOtherPolicies(int blocks) {
    float[] expected = run(Recompute.NONE, blocks).gradient;
    assertArrayEquals(expected, run(Recompute.BLOCK, blocks).gradient);
    for (int again = 0; again < 2; again++) {
      assertArrayEquals(expected, run(Recompute.OFFLOAD, blocks).gradient);
    }
  }

  @Test
  void theDeviceHoldsTwoInputsAtMost() {
    Found block = run(Recompute.BLOCK, 9);
    Found offload = run(Recompute.OFFLOAD, 9);
    assertEquals(8 * BYTES, block.saved);
    assertEquals(2 * BYTES, offload.saved);
    assertTrue(offload.peak <= block.peak - 5 * BYTES, offload.peak + " of " + block.peak);
  }

  @Test
  void whatFailsLeavesNothing() {
    try (Scope _ = Scope.open(device);
        Tape _ = Tape.record(Recompute.OFFLOAD)) {
      Tensor w = Tensor.full(Shape.of(COUNT), DType.F32, 2).trainable();
      Tensor x = Tensor.full(Shape.of(COUNT), DType.F32, 1);
      for (int i = 0; i < 4; i++) {
        x = Tape.block(x, in -> Ops.activation(Activation.GELU_TANH, Ops.add(in, w)));
      }
      Tensor last = x;
      assertThrows(
          IllegalStateException.class,
          () -> Tape.block(last, in -> {
            throw new IllegalStateException("no");
          }));
    }
  }
}
