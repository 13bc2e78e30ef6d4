package dev.fovea.tensor;

import static dev.fovea.tensor.Messages.assertIllegal;
import static dev.fovea.tensor.Messages.assertState;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.kernels.DType;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.ExtendWith;

@ExtendWith(NoLeaks.class)
class DeviceTest {
  private static final long MIB = 1 << 20;

  @Test
  void theDefaultIsOneAndStaysOpen() {
    Device cpu = Device.cpu();
    assertSame(cpu, Device.cpu());
    assertEquals("cpu", cpu.name());
    assertSame(cpu.kernels(), cpu.kernels());
    assertTrue(cpu.kernels().description().startsWith("cpu: "));
    assertState("device cpu is the default of the whole process and cannot be closed", () -> ((CpuDevice) cpu).close());
  }

  @Test
  void othersAreClosedOnce() {
    CpuDevice device = Device.cpu(1);
    assertTrue(
        device.kernels().description().startsWith("cpu: 1 thread,"),
        device.kernels().description());
    Memory memory = device.allocate(100, "scratch");
    assertState(
        ("device %s closed while in use: 100 bytes in use, 100 at the peak, 128 reserved; {scratch=100}")
            .formatted(device.name()),
        device::close);
    memory.close();
    device.close();
    assertState("device %s used after close".formatted(device.name()), device::close);
    assertState("device %s used after close".formatted(device.name()), device::kernels);
    assertState("device %s used after close".formatted(device.name()), () -> device.allocate(1, "late"));
    assertEquals(0, device.memory().reserved());
    assertIllegal("threads: got 0, expected at least 1", () -> Device.cpu(0));
    assertIllegal(
        "memoryLimit: got -1, expected 0 or more", () -> CpuOptions.defaults().withMemoryLimit(-1));
  }

  @Test
  void memoryIsTheCallersToClose() {
    try (CpuDevice device = Device.cpu(1)) {
      Memory memory = device.allocate(1000, "scratch");
      assertSame(device, memory.device());
      assertEquals(1000, memory.bytes());
      assertEquals(0, memory.address() % 64);
      memory.close();
      assertState("memory of 1000 bytes closed twice", memory::close);
      assertState("memory of 1000 bytes used after it was freed", memory::retain);
      assertIllegal("bytes: got -1, expected 0 or more", () -> device.allocate(-1, "negative"));
    }
  }

  @Test
  void countsWhatIsInUseAndWas() {
    try (CpuDevice device = Device.cpu(1)) {
      MemoryStats stats = device.memory();
      Memory a = device.allocate(1000, "a");
      Memory b = device.allocate(3000, "b");
      Memory c = device.allocate(50, "a");
      assertEquals(4050, stats.current());
      assertEquals("{b=3000, a=1050}", stats.byLabel().toString());
      assertTrue(stats.inUse().matches("(?s)3,000 bytes \\(b\\), made at .*DeviceTest.java.*\\n1,000 bytes.*\\n50 .*"));
      b.close();
      assertEquals(1050, stats.current());
      assertEquals(4050, stats.peak());
      stats.resetPeak();
      assertEquals(1050, stats.peak());
      assertTrue(stats.reserved() >= 4050);
      stats.trim();
      assertTrue(stats.reserved() >= 1050 && stats.reserved() < 1200, stats.toString());
      a.close();
      c.close();
      assertEquals(0, stats.current());
      assertEquals("{}", stats.byLabel().toString());
      assertEquals("", stats.inUse());
    }
  }

  @Test
  void reusesMemory() {
    try (CpuDevice device = Device.cpu(1)) {
      Memory first = device.allocate(MIB, "first");
      long address = first.address();
      first.close();
      long reserved = device.memory().reserved();
      for (long bytes : new long[] {MIB, MIB - 100, MIB}) {
        Memory again = device.allocate(bytes, "again");
        assertEquals(address, again.address());
        again.close();
      }
      assertEquals(reserved, device.memory().reserved());
    }
  }

  @Test
  void aLoopTakesNothingNewFromTheSystem() {
    try (CpuDevice device = Device.cpu(1)) {
      long reserved = 0;
      for (int step = 0; step < 5; step++) {
        try (Scope _ = Scope.open(device)) {
          for (int i = 1; i < 20; i++) {
            Tensor.empty(Shape.of(i * 1000), DType.F32);
            Tensor.empty(Shape.of(i * 777), DType.BF16).close();
          }
        }
        if (step == 0) {
          reserved = device.memory().reserved();
        }
        assertEquals(reserved, device.memory().reserved());
      }
    }
  }

  @Test
  void neverReservesMoreThanThePeakNeeded() {
    try (CpuDevice device = Device.cpu(CpuOptions.defaults().withThreads(1).withPoison(false))) {
      long most = 0;
      for (int round = 0; round < 100; round++) {
        try (Scope _ = Scope.open(device)) {
          long needed = 0;
          for (int i = 0; i < 8; i++) {
            long bytes = (round * 37L + i * 11) % 97 * 4096 + 1;
            needed += Block.capacity(bytes);
            Tensor.empty(Shape.of(bytes), DType.U8);
          }
          most = Math.max(most, needed);
        }
        assertTrue(device.memory().reserved() <= most, device.memory() + ", needed " + most);
        assertThrows(OutOfDeviceMemoryException.class, () -> device.allocate(Long.MAX_VALUE, "far too much"));
      }
    }
  }

  @Test
  void blocksWasteLittle() {
    for (long bytes = 0; bytes < 1L << 40; bytes += Math.max(1, bytes / 7)) {
      long capacity = Block.capacity(bytes);
      assertTrue(capacity >= bytes && capacity % 64 == 0);
      assertTrue(capacity <= Math.max(bytes + 64, bytes + bytes / 16), bytes + " in " + capacity);
      assertEquals(capacity, Block.capacity(capacity));
    }
    assertEquals(Long.MAX_VALUE, Block.capacity(Long.MAX_VALUE));
  }

  @Test
  void runsOutOfMemoryAndGoesOn() {
    CpuOptions options = CpuOptions.defaults().withThreads(1).withMemoryLimit(4 * MIB);
    try (CpuDevice device = Device.cpu(options);
        Scope _ = Scope.open(device)) {
      assertEquals(4 * MIB, device.memory().limit());
      try (Scope _ = Scope.open().label("weights")) {
        Tensor.empty(Shape.of(MIB), DType.U8);
        try (Scope _ = Scope.open().label("activations")) {
          Tensor.empty(Shape.of(MIB / 2), DType.F32);
          Tensor.empty(Shape.of(MIB / 2), DType.U8).close();
          var failure =
              assertThrows(OutOfDeviceMemoryException.class, () -> Tensor.zeros(Shape.of(3 * MIB), DType.BF16));
          assertEquals(
              "out of memory on %s: 6,291,456 bytes requested, 3,145,728 in use of at most 4,194,304, 524,288 cached; "
                      .formatted(device.name())
                  + "largest: activations 2,097,152, weights 1,048,576; "
                  + "a smaller batch, shorter scopes or recomputing activations need less",
              failure.getMessage());
          assertEquals(6 * MIB, failure.requested());
          assertEquals(3 * MIB, failure.inUse());
          assertEquals(MIB / 2, failure.cached());
        }
      }
      Tensor all = Tensor.zeros(Shape.of(2 * MIB), DType.BF16);
      assertEquals(0, all.narrow(2 * MIB - 1, 1).item());
    }
  }

  @Test
  void runsOutOfTheMachinesMemoryAndGoesOn() {
    try (Scope _ = Scope.open()) {
      Shape tooLarge = Shape.of(1L << 60);
      assertThrows(OutOfDeviceMemoryException.class, () -> Tensor.empty(tooLarge, DType.U8));
      assertThrows(OutOfDeviceMemoryException.class, () -> Tensor.zeros(tooLarge, DType.F32));
      Shape most = Shape.of(Long.MAX_VALUE / 4);
      assertThrows(OutOfDeviceMemoryException.class, () -> Tensor.zeros(most, DType.F32));
      assertEquals(1, Tensor.scalar(1).item());
    }
  }

  @Test
  void poisonsFreedMemory() {
    try (CpuDevice device = Device.cpu(CpuOptions.defaults().withPoison(true))) {
      long address;
      try (Scope _ = Scope.open(device)) {
        address = Tensor.zeros(Shape.of(16), DType.F32).span().address();
      }
      assertEquals(-1, HostMemory.ALL.get(java.lang.foreign.ValueLayout.JAVA_INT, address));
    }
  }
}
