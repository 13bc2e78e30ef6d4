package dev.fovea.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.cuda.CudaException;
import dev.fovea.kernels.ptx.PtxDriver;
import dev.fovea.tensor.ops.Linear;
import dev.fovea.tensor.ops.Ops;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What tensors do on every kind of device: on GPUs with kernels that the PTX machine executes. */
final class EveryDeviceTest {
  private static final long MIB = 1 << 20;

  private Device device;

  @AfterEach
  void nothingIsLeft() {
    if (device != null) {
      assertEquals(0, device.memory().current(), device.memory().inUse());
      Devices.close(device);
    }
  }

  private Scope open(Devices kind) {
    device = kind.open(64 * MIB);
    return Scope.open(device);
  }

  @ParameterizedTest
  @EnumSource
  void valuesGoThereAndBack(Devices kind) {
    try (Scope _ = open(kind)) {
      float[] values = {1, -2, 0.5f, Float.NaN, 1e30f, 6};
      Tensor floats = Tensor.of(values, 2, 3);
      assertArrayEquals(values, floats.toFloats());
      assertEquals(Shape.of(2, 3), floats.shape());
      assertArrayEquals(new long[] {1, -2}, Tensor.of(new int[] {1, -2}, 2).toLongs());
      assertArrayEquals(new float[7], Tensor.zeros(Shape.of(7), DType.BF16).toFloats());
      assertEquals(0, Tensor.of(new float[0], 0, 3).toFloats().length);
      assertEquals(2.5, Tensor.scalar(2.5f).item());
      assertArrayEquals(values, floats.to(Device.cpu()).toFloats());
      assertArrayEquals(values, floats.to(Device.cpu()).to(device).flatten().toFloats());
    }
  }

  @ParameterizedTest
  @EnumSource
  void dtypesAreConverted(Devices kind) {
    try (Scope _ = open(kind)) {
      float[] values = {1, -0.0f, 1.00390625f, 1.01171875f, 3.4e38f, Float.NaN, Float.NEGATIVE_INFINITY, 1e-40f};
      float[] halves = {1, -0.0f, 1, 1.015625f, Float.POSITIVE_INFINITY, Float.NaN, Float.NEGATIVE_INFINITY, 0x1p-133f};
      Tensor there = Tensor.of(values, values.length).to(DType.BF16);
      assertEquals(DType.BF16, there.dtype());
      assertArrayEquals(halves, there.toFloats());
      assertArrayEquals(halves, there.to(DType.F32).toFloats());
      assertArrayEquals(
          new float[] {255, 1}, Tensor.of(new byte[] {-1, 1}, 2).to(DType.F32).toFloats());
    }
  }

  @ParameterizedTest
  @EnumSource
  void viewsShareMemory(Devices kind) {
    try (Scope _ = open(kind)) {
      Tensor tensor = Tensor.of(new float[] {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}, 3, 2, 2);
      Tensor rows = tensor.narrow(1, 2);
      rows.reshape(-1, 4).narrow(1, 1).copyFrom(new float[] {-1, -2, -3, -4});
      assertArrayEquals(
          new float[] {0, 1, 2, 3, 4, 5, 6, 7, -1, -2, -3, -4}, tensor.flatten().toFloats());
      assertEquals(48, device.memory().current());
      tensor.close();
      assertArrayEquals(new float[] {4, 5, 6, 7, -1, -2, -3, -4}, rows.toFloats());
      Tensor copy = Tensor.empty(rows.shape(), DType.F32).copyFrom(rows);
      rows.copyFrom(new float[8]);
      assertArrayEquals(new float[] {4, 5, 6, 7, -1, -2, -3, -4}, copy.toFloats());
    }
  }

  @ParameterizedTest
  @EnumSource
  void memoryIsCountedReusedAndGivenBack(Devices kind) {
    try (Scope _ = open(kind)) {
      MemoryStats stats = device.memory();
      long reserved = 0;
      for (int step = 0; step < 3; step++) {
        try (Scope _ = Scope.open().label("step")) {
          for (int i = 1; i < 5; i++) {
            Tensor.zeros(Shape.of(i * 1000), DType.F32);
            Tensor.empty(Shape.of(i * 777), DType.BF16).close();
          }
          assertEquals(40_000, stats.current());
          assertEquals(Map.of("step", 40_000L), stats.byLabel());
        }
        assertEquals(0, stats.current());
        assertEquals(46_216, stats.peak());
        assertTrue(step == 0 || stats.reserved() == reserved, "a loop takes nothing new");
        reserved = stats.reserved();
      }
      stats.trim();
      assertEquals(0, stats.reserved());
    }
  }

  @ParameterizedTest
  @EnumSource
  void runsOutOfMemoryAndGoesOn(Devices kind) {
    try (Scope _ = open(kind).label("weights")) {
      Tensor.empty(Shape.of(40 * MIB), DType.U8);
      var e = assertThrows(OutOfDeviceMemoryException.class, () -> Tensor.empty(Shape.of(30 * MIB), DType.U8));
      assertTrue(e.getMessage().startsWith("out of memory on " + device.name() + ": 31,457,280 bytes"), e.getMessage());
      assertTrue(e.getMessage().contains("largest: weights 41,943,040"), e.getMessage());
      assertEquals(1, Tensor.scalar(1).item());
    }
  }

  @ParameterizedTest
  @EnumSource
  void randomNumbersAreTheSameEverywhere(Devices kind) {
    try (Scope _ = open(kind)) {
      Tensor drawn = Tensor.normal(Shape.of(1001), DType.F32, 2, 7);
      try (Scope _ = Scope.open(Device.cpu())) {
        assertArrayEquals(Tensor.normal(Shape.of(1001), DType.F32, 2, 7).toFloats(), drawn.toFloats());
      }
    }
  }

  @Test
  void otherDevicesOperandsAreRefused() {
    try (Scope _ = open(Devices.CUDA)) {
      Tensor there = Tensor.scalar(1);
      Tensor here = there.to(Device.cpu());
      var e = assertThrows(IllegalArgumentException.class, () -> Ops.add(there, here));
      assertEquals("operand: got a tensor on cpu, expected cuda:0", e.getMessage());
    }
  }

  @Test
  void whatAKernelDoesWrongIsThrownWithItsName() {
    Devices.assumeCompiledKernels();
    CudaDevice broken = CudaDevice.over(new PtxDriver());
    var e = assertThrows(CudaException.class, () -> pickOutside(broken));
    assertTrue(e.getMessage().contains("kernel gather, block (0,0,0), thread (0,1,0): reads 8 bytes"), e.getMessage());
  }

  private static void pickOutside(Device device) {
    try (Scope _ = Scope.open(device)) {
      Tensor x = Tensor.of(new float[] {1, 2, 3, 4}, 2, 2);
      Ops.gather(x, Tensor.of(new int[] {0, 1 << 20}, 2)).toFloats();
    }
  }

  /** The same kernels again, on what lies in the same memory now. */
  @Test
  void recordedWorkRunsAgain() {
    try (Scope _ = open(Devices.CUDA)) {
      Tensor x = Tensor.of(new float[] {1, 2, 3}, 1, 3);
      Tensor weight = Tensor.of(new float[] {1, 0, 0, 0, 1, 1}, 2, 3);
      AtomicReference<Tensor> result = new AtomicReference<>();
      try (CudaGraph graph = ((CudaDevice) device).record(() -> {
        try (Scope inner = Scope.open()) {
          Tensor y = Linear.of(x, weight).apply();
          result.set(inner.keep(Ops.scale(y, 10)));
        }
      })) {
        x.copyFrom(new float[] {4, 5, 6});
        graph.replay();
        assertArrayEquals(new float[] {40, 110}, result.get().toFloats());
      }
    }
  }
}
