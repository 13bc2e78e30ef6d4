package dev.fovea.tensor;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.cuda.CudaException;
import dev.fovea.kernels.cuda.JcudaDriver;
import dev.fovea.kernels.cuda.KernelBuild;
import dev.fovea.kernels.cuda.Stub;
import dev.fovea.kernels.cuda.StubLibrary;
import dev.fovea.tensor.io.Safetensors;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** Tensors on a GPU whose driver is a stub: memory and copies are real, kernels are not. */
class CudaDeviceStubTest {
  private StubLibrary stub;
  private CudaDevice device;

  @TempDir
  private Path folder;

  @BeforeEach
  void open() throws Exception {
    stub = Stub.fresh();
    device = CudaDevice.over(JcudaDriver.open(0));
  }

  @AfterEach
  void close() {
    if (device != null) {
      device.close();
      assertEquals(0, stub.used(), "device memory still in use");
    }
  }

  private static void fails(Class<? extends RuntimeException> type, String message, Executable call) {
    assertEquals(message, assertThrows(type, call).getMessage());
  }

  @Test
  void valuesGoThereAndBack() {
    try (Scope scope = Scope.open(device)) {
      assertEquals("cuda:0", scope.device().name());
      assertArrayEquals(
          new float[] {1, 2, 3}, Tensor.of(new float[] {1, 2, 3}, 3).toFloats());
      assertArrayEquals(new long[] {1, -2}, Tensor.of(new int[] {1, -2}, 2).toLongs());
      assertEquals(
          "F32 [2] on cuda:0: 4.0, 5.0", Tensor.of(new float[] {4, 5}, 2).toString());
      assertEquals(7, Tensor.scalar(7).item());
      assertEquals(0, Tensor.zeros(Shape.of(0, 3), DType.F32).toFloats().length);
      assertArrayEquals(new float[5], Tensor.zeros(Shape.of(5), DType.F32).toFloats());
      Tensor halves = Tensor.empty(Shape.of(2), DType.BF16).copyFrom(new float[] {0.5f, -3});
      assertArrayEquals(new float[] {0.5f, -3}, halves.toFloats());
      assertArrayEquals(new float[] {-3}, halves.narrow(1, 1).toFloats());
    }
  }

  /** More than both pieces of pinned memory hold, and not a multiple of them. */
  @Test
  void manyValuesGoThereAndBack() {
    float[] values = new float[3_500_001];
    for (int i = 0; i < values.length; i++) {
      values[i] = i;
    }
    try (Scope scope = Scope.open(device)) {
      Tensor tensor = Tensor.of(values, values.length);
      assertArrayEquals(values, tensor.toFloats());
      assertEquals(4 * values.length, scope.device().memory().current());
    }
    assertEquals(2, stub.log("pin").size());
  }

  @Test
  void tensorsMoveBetweenDevices() {
    try (CudaDevice other = CudaDevice.over(JcudaDriver.open(1));
        Scope scope = Scope.open(Device.cpu())) {
      Tensor host = Tensor.of(new float[] {1, 2, 3, 4}, 2, 2);
      Tensor there = host.to(device);
      assertEquals("cuda:0", there.device().name());
      assertEquals(Shape.of(2, 2), there.shape());
      Tensor further = there.to(other);
      assertEquals("cuda:1", further.device().name());
      assertArrayEquals(host.toFloats(), further.to(Device.cpu()).toFloats());
      assertSame(there.memory(), there.to(device).memory());
      Tensor target = host.to(device).copyFrom(Tensor.of(new float[] {5, 6, 7, 8}, 2, 2));
      assertArrayEquals(new float[] {5, 6, 7, 8}, target.toFloats());
      assertArrayEquals(target.toFloats(), host.copyFrom(target).toFloats());
      assertEquals(16, other.memory().current());
      scope.keep(host);
    }
  }

  @Test
  void bytesAreCopied() {
    try (Arena arena = Arena.ofConfined();
        Scope _ = Scope.open(device)) {
      MemorySegment bytes = arena.allocate(8);
      bytes.fill((byte) 0x3f);
      Tensor tensor = Tensor.empty(Shape.of(2), DType.F32).copyFrom(bytes);
      MemorySegment back = arena.allocate(8);
      tensor.copyTo(back);
      assertEquals(-1, bytes.mismatch(back));
      fails(
          IllegalArgumentException.class,
          "bytes: got 8 bytes, expected 4 as the tensor has",
          () -> tensor.narrow(0, 1).copyTo(back));
    }
  }

  @Test
  void whatIsNotOnTheHostHasNoSegment() {
    try (Arena arena = Arena.ofConfined();
        Scope _ = Scope.open(device)) {
      Tensor tensor = Tensor.scalar(1);
      fails(
          IllegalStateException.class,
          "segment: got memory on cuda:0, expected memory on the CPU; copy with to(Device.cpu()) or copyTo",
          tensor::segment);
      MemorySegment segment = arena.allocate(4);
      fails(
          IllegalArgumentException.class,
          "wrap: got a scope on cuda:0, expected one on the CPU, where the segment is",
          () -> Tensor.wrap(segment, DType.F32, Shape.of(1)));
    }
  }

  @Test
  void filesAreReadAndWritten() throws IOException {
    Path file = folder.resolve("x.safetensors");
    try (Scope _ = Scope.open(device)) {
      Safetensors.write(file, Map.of("x", Tensor.of(new float[] {1, 2, 3, 4, 5, 6}, 2, 3)), Map.of());
      try (Safetensors read = Safetensors.open(file)) {
        Tensor x = read.load("x");
        assertEquals("F32 [2, 3] on cuda:0: 1.0, 2.0, 3.0, 4.0, 5.0, 6.0", x.toString());
        assertArrayEquals(x.toFloats(), read.load("x", DType.BF16).toFloats());
      }
    }
  }

  @Test
  void memoryIsCachedAndGivenBackWhereThereIsNoneLeft() {
    stub.set("total", 100 << 20);
    try (Scope scope = Scope.open(device).label("weights")) {
      Tensor.empty(Shape.of(30 << 20), DType.U8);
      for (int i = 0; i < 5; i++) {
        try (Scope _ = Scope.open().label("activations")) {
          Tensor.empty(Shape.of(20 << 20), DType.U8);
        }
      }
      assertEquals(2, stub.log("allocate").size(), "the second and later ones come from the cache");
      try (Scope _ = Scope.open().label("activations")) {
        Tensor.empty(Shape.of(60 << 20), DType.U8); // fits once the cache is given back
        OutOfDeviceMemoryException e =
            assertThrows(OutOfDeviceMemoryException.class, () -> Tensor.empty(Shape.of(40 << 20), DType.U8));
        assertEquals(
            "out of memory on cuda:0: 41,943,040 bytes requested, 94,371,840 in use, 0 cached; "
                + "largest: activations 62,914,560, weights 31,457,280; "
                + "a smaller batch, shorter scopes or recomputing activations need less",
            e.getMessage());
        Tensor.empty(Shape.of(1 << 20), DType.U8);
      }
      MemoryStats memory = scope.device().memory();
      assertEquals(30 << 20, memory.current());
      assertEquals(91 << 20, memory.peak());
      assertEquals(Map.of("weights", 30L << 20), memory.byLabel());
      memory.trim();
      assertEquals(30 << 20, memory.reserved());
    }
  }

  @Test
  void aGraphKeepsTheMemoryThatItWorksIn() {
    try (Scope scope = Scope.open(device)) {
      Tensor[] result = new Tensor[1];
      long[] scratch = new long[1];
      CudaGraph graph = device.record(() -> {
        try (Scope inner = Scope.open()) {
          scratch[0] = Tensor.zeros(Shape.of(1000), DType.F32).span().address();
          result[0] = inner.keep(Tensor.zeros(Shape.of(10), DType.F32));
        }
      });
      long address = result[0].span().address();
      assertEquals(1, stub.log("capture mode").size());
      graph.replay();
      graph.replay();
      assertEquals(2, stub.log("graph of").size());
      Tensor other = Tensor.zeros(Shape.of(1000), DType.F32);
      assertNotEquals(scratch[0], other.span().address(), "replays write there");
      result[0].close();
      assertNotEquals(address, Tensor.zeros(Shape.of(10), DType.F32).span().address(), "replays write there");
      graph.close();
      assertEquals(scratch[0], Tensor.zeros(Shape.of(1000), DType.F32).span().address());
      assertThrows(IllegalStateException.class, graph::replay);
      scope.keep(other);
      other.close();
    }
  }

  @Test
  void aGraphCopiesNothingFromTheHost() {
    try (Scope _ = Scope.open(device)) {
      fails(
          IllegalStateException.class,
          "values are copied between host and GPU while a graph is recorded: do so before or after",
          () -> device.record(() -> Tensor.scalar(1)));
      assertEquals(2, Tensor.scalar(2).item());
      assertEquals(1, stub.log("end of executable").size());
    }
  }

  /** What went wrong first is told, not that the recording was of no use then; and the device goes on. */
  @Test
  void theReasonWhyNothingCouldBeRecordedIsTold() {
    try (Scope _ = Scope.open(device)) {
      CudaException e = assertThrows(CudaException.class, () -> device.record(device::synchronize));
      assertTrue(e.getMessage().startsWith("wait for a stream on GPU 0"), e.getMessage());
      assertEquals("CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED", e.code());
      assertEquals(1, e.getSuppressed().length);
      stub.fail("cuStreamBeginCapture_v2", 900, 0);
      assertThrows(CudaException.class, () -> device.record(() -> {}));
      assertEquals(2, Tensor.scalar(2).item());
      device.record(() -> {}).close();
    }
    assertEquals(3, stub.log("end of stream").size());
  }

  @Test
  void servesSeveralThreads() throws Exception {
    try (ExecutorService threads = Executors.newFixedThreadPool(3)) {
      List<Callable<Void>> work = IntStream.range(0, 30)
          .<Callable<Void>>mapToObj(i -> () -> {
            try (Scope _ = Scope.open(device)) {
              float[] values = new float[1000 + i];
              values[i] = i;
              assertArrayEquals(values, Tensor.of(values, values.length).toFloats());
            }
            return null;
          })
          .toList();
      for (Future<Void> done : threads.invokeAll(work)) {
        done.get();
      }
    }
    assertEquals(0, device.memory().current());
  }

  @Test
  void staysOpenWhileInUse() {
    Memory memory = device.allocate(100, "mine");
    assertEquals(0, memory.address() % 64);
    IllegalStateException e = assertThrows(IllegalStateException.class, device::close);
    assertTrue(e.getMessage().startsWith("device cuda:0 closed while in use: 100 bytes in use"), e.getMessage());
    memory.close();
  }

  @Test
  void devicesAreSharedByTheProcess() {
    assumeTrue(KernelBuild.find() != null, "the build found no nvcc, so there are no GPU kernels to open a device for");
    CudaDevice first = Device.cuda(0);
    assertSame(first, Device.named("cuda"));
    assertSame(Device.cuda(1), Device.named("cuda:1"));
    assertSame(first, Device.named("auto"));
    assertSame(Device.cpu(), Device.named("cpu"));
    fails(
        IllegalStateException.class, "device cuda:0 is shared by the whole process and cannot be closed", first::close);
    fails(CudaException.class, "no GPU 5: this machine has 2, numbered from 0", () -> Device.named("cuda:5"));
    fails(
        IllegalArgumentException.class,
        "device: got 'gpu', expected cpu, cuda, cuda:0, cuda:1, ... or auto",
        () -> Device.named("gpu"));
  }
}
