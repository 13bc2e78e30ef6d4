package dev.fovea.kernels.cuda;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import dev.fovea.kernels.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** The driver on a library that notes what is called: sequences, arguments, contexts. */
class JcudaDriverStubTest {
  private static final KernelBinary BINARY = new KernelBinary("stubbed");

  private StubLibrary stub;

  @BeforeEach
  void fresh() throws Exception {
    stub = Stub.fresh();
  }

  @Test
  void tellsWhatTheDevicesAre() {
    List<DeviceInfo> devices = JcudaDriver.devices();
    assertEquals(2, devices.size());
    assertEquals(new DeviceInfo(1, "Stub 1", 9, 0, 132, 1L << 30, 232448, 233472, 50 << 20, 13000), devices.get(1));
    assertEquals("9.0", devices.get(1).capability());
    assertEquals("13.0", devices.get(1).cudaVersion());
    try (Driver driver = JcudaDriver.open(1)) {
      assertEquals(devices.get(1), driver.info());
      assertEquals(new MemoryInfo(1 << 30, 1 << 30), driver.memory());
    }
    assertEquals(List.of("retain 1", "pool 101 attribute 4 = 7fffffffffffffff", "release 1"), stub.log());
  }

  @Test
  void launchesWhatIsAskedFor() {
    try (Driver driver = JcudaDriver.open(0)) {
      long stream = driver.createStream();
      long module = driver.load(BINARY);
      long function = driver.function(module, "norm");
      driver.allowShared(function, 100_000);
      Launch launch = new Launch();
      launch.grid(3, 2, 1).block(256, 1, 1).shared(1000).pointer(77).i32(5).i64(-1);
      driver.launch(function, launch, stream);
      driver.launch(function, launch.reset().grid(8, 1, 1).cluster(2, 1, 1).overlapping(), 0);
      driver.launch(function, launch.reset().overlapping().pointer(1).i64(2).i64(3), stream);
      driver.synchronize(stream);
      driver.unload(module);
      driver.destroyStream(stream);
    }
    assertEquals(
        List.of(
            "stream flags 1",
            "load 656b6166 options 0",
            "function norm",
            "attribute 8 of norm = 100000",
            "launch norm on 0: 3,2,1 x 256,1,1 shared 1000 (77 5 -1)",
            "launch norm on 0: 8,1,1 x 1,1,1 shared 0 [4: 2 1 1] [6: 1 0 0]",
            "launch norm on 0: 1,1,1 x 1,1,1 shared 0 [6: 1 1 1] (1 2 3)",
            "synchronize",
            "unload",
            "end of stream"),
        stub.log().subList(2, stub.log().size() - 1));
  }

  @Test
  void encodesTensorMaps() {
    try (Driver driver = JcudaDriver.open(0);
        Arena arena = Arena.ofConfined()) {
      TensorMap map = new TensorMap(
          DType.BF16,
          0x7000,
          List.of(new TensorMap.Dimension(100, 2, 64), new TensorMap.Dimension(1L << 32, 208, 128)),
          TensorMap.Swizzle.BYTES_128);
      MemorySegment to = arena.allocate(TensorMap.BYTES, TensorMap.ALIGNMENT);
      driver.encodeTensorMap(map, to);
      assertEquals(0x5a, to.get(ValueLayout.JAVA_BYTE, TensorMap.BYTES - 1));
      MemorySegment heap = MemorySegment.ofArray(new long[16]);
      assertThrows(IllegalArgumentException.class, () -> driver.encodeTensorMap(map, heap));
      assertThrows(IllegalArgumentException.class, () -> driver.encodeTensorMap(map, to.asSlice(64)));
      stub.fail("cuTensorMapEncodeTiled", 1, 0);
      CudaException e = assertThrows(CudaException.class, () -> driver.encodeTensorMap(map, to));
      assertTrue(e.getMessage().contains("encoding of TensorMap[dtype=BF16"), e.getMessage());
    }
    assertEquals(
        List.of(
            "map type 9 of 0x7000 [100 by 0 box 64 step 1] [4294967296 by 208 box 128 step 1] interleave 0 swizzle 3"
                + " promotion 3 fill 0"),
        stub.log("map"));
    stub.set("major", 8);
    try (Driver driver = JcudaDriver.open(0);
        Arena arena = Arena.ofConfined()) {
      TensorMap map = new TensorMap(DType.F32, 16, List.of(new TensorMap.Dimension(4, 4, 4)), TensorMap.Swizzle.NONE);
      MemorySegment to = arena.allocate(TensorMap.BYTES, TensorMap.ALIGNMENT);
      CudaException e = assertThrows(CudaException.class, () -> driver.encodeTensorMap(map, to));
      assertEquals("CUDA_ERROR_NOT_SUPPORTED", e.code());
    }
  }

  @Test
  void knowsWhatAKernelNeeds() {
    try (Driver driver = JcudaDriver.open(0)) {
      long function = driver.function(driver.load(BINARY), "norm");
      assertEquals(new FunctionInfo(40, 10, 30, 1024), driver.info(function));
    }
  }

  @Test
  void copiesThereAndBack() {
    try (Driver driver = JcudaDriver.open(0);
        Arena arena = Arena.ofConfined()) {
      MemorySegment pinned = driver.allocatePinned(1 << 20);
      MemorySegment host = arena.allocate(1 << 20);
      pinned.setAtIndex(JAVA_LONG, 1000, 42);
      long first = driver.allocate(1 << 20, 0);
      long second = driver.allocate(1 << 20, 0);
      assertEquals(0, first % 256);
      driver.fill(second, (byte) 7, 1 << 20, 0);
      driver.copyToDevice(first, pinned, 0);
      driver.copy(second, first, 1 << 19, 0);
      driver.copyToHost(host, second, 0);
      assertEquals(42, host.getAtIndex(JAVA_LONG, 1000));
      assertEquals(0x0707070707070707L, host.getAtIndex(JAVA_LONG, (1 << 17) - 1));
      assertEquals(2 << 20, stub.used());
      driver.free(first, 0);
      driver.free(second, 0);
      driver.freePinned(pinned);
      assertEquals(0, stub.used());
    }
  }

  @Test
  void hasNoMoreMemoryThanThereIs() {
    try (Driver driver = JcudaDriver.open(0)) {
      long most = driver.allocate(900 << 20, 0);
      assertEquals(0, driver.allocate(200 << 20, 0));
      driver.free(most, 0);
      assertEquals(0, driver.allocate(200 << 20, 0), "the pool keeps what was freed");
      driver.trim();
      assertNotEquals(0, driver.allocate(200 << 20, 0));
    }
  }

  @Test
  void allocatesOnDevicesWithoutPools() {
    stub.set("pools", 0);
    try (Driver driver = JcudaDriver.open(0)) {
      long address = driver.allocate(1000, 0);
      driver.free(address, 0);
      driver.trim();
    }
    assertEquals(List.of("retain 0", "allocate now 1000", "synchronize", "free now", "release 0"), stub.log());
  }

  @Test
  void ordersStreamsByEvents() {
    try (Driver driver = JcudaDriver.open(0)) {
      long first = driver.createStream();
      long second = driver.createStream();
      long start = driver.createEvent();
      long end = driver.createEvent();
      driver.record(start, first);
      driver.await(second, start);
      driver.record(end, second);
      driver.synchronizeEvent(end);
      assertEquals(11, driver.millis(start, end));
      driver.destroyEvent(start);
      driver.destroyEvent(end);
      assertThrows(IllegalArgumentException.class, () -> driver.destroyEvent(end));
    }
    assertTrue(
        stub.log().containsAll(List.of("record", "await flags 0", "event")),
        stub.log().toString());
  }

  @Test
  void recordsGraphsAndChangesThem() {
    try (Driver driver = JcudaDriver.open(0)) {
      long stream = driver.createStream();
      long function = driver.function(driver.load(BINARY), "norm");
      long graph = recorded(driver, stream, function, 2, 0);
      driver.launchGraph(graph, stream);
      assertEquals(graph, recorded(driver, stream, function, 2, graph));
      long other = recorded(driver, stream, function, 3, graph);
      assertNotEquals(graph, other);
      driver.launchGraph(other, stream);
      driver.destroyGraph(graph);
      driver.destroyGraph(other);
    }
    assertEquals(List.of("graph of 2", "graph of 3"), stub.log("graph of"));
    assertEquals(List.of("captured 2", "captured 2", "captured 3"), stub.log("captured"));
    assertEquals(2, stub.log("update").size());
    assertEquals(2, stub.log("instantiate").size());
    assertEquals(3, stub.log("end of graph").size());
  }

  private static long recorded(Driver driver, long stream, long function, int launches, long graph) {
    Launch launch = new Launch();
    driver.beginCapture(stream);
    for (int i = 0; i < launches; i++) {
      driver.launch(function, launch, stream);
    }
    return driver.endCapture(stream, graph);
  }

  /** The driver would give memory that is the graph's own, and lose the recording where somebody waits. */
  @Test
  void keepsARecordingFromWhatItCannotHold() {
    try (Driver driver = JcudaDriver.open(0)) {
      long stream = driver.createStream();
      long other = driver.createStream();
      long function = driver.function(driver.load(BINARY), "norm");
      long before = driver.allocate(1000, stream);
      driver.beginCapture(stream);
      for (Executable call :
          List.<Executable>of(() -> driver.allocate(1000, stream), () -> driver.free(before, stream), driver::trim)) {
        CudaException e = assertThrows(CudaException.class, call);
        assertEquals("CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED", e.code());
        assertTrue(e.getMessage().endsWith("on GPU 0 (Stub 0): not while a graph is recorded"), e.getMessage());
      }
      driver.free(driver.allocate(1000, other), other);
      driver.freePinned(driver.allocatePinned(1000));
      driver.load(BINARY);
      driver.launch(function, new Launch(), stream);
      driver.destroyGraph(driver.endCapture(stream, 0));
      driver.free(before, stream);
      driver.trim();
    }
    assertEquals(List.of("captured 1"), stub.log("captured"));
  }

  @Test
  void saysThatARecordingIsLost() {
    try (Driver driver = JcudaDriver.open(0)) {
      long stream = driver.createStream();
      driver.beginCapture(stream);
      assertThrows(CudaException.class, () -> driver.synchronize(stream));
      CudaException e = assertThrows(CudaException.class, () -> driver.endCapture(stream, 0));
      assertEquals("CUDA_ERROR_STREAM_CAPTURE_INVALIDATED", e.code());
      driver.beginCapture(stream);
      driver.destroyGraph(driver.endCapture(stream, 0));
    }
  }

  @Test
  void isAskedForMuchSharedMemoryFirst() {
    try (Driver driver = JcudaDriver.open(0)) {
      long function = driver.function(driver.load(BINARY), "norm");
      Launch launch = new Launch().shared(100_000);
      assertThrows(CudaException.class, () -> driver.launch(function, launch, 0));
      driver.allowShared(function, 100_000);
      driver.launch(function, launch, 0);
      assertThrows(CudaException.class, () -> driver.allowShared(function, 232_449));
    }
  }

  @Test
  void servesSeveralThreadsOnSeveralDevices() throws Exception {
    try (Driver zero = JcudaDriver.open(0);
        Driver one = JcudaDriver.open(1);
        ExecutorService threads = Executors.newFixedThreadPool(4)) {
      List<Driver> drivers = List.of(zero, one);
      List<Long> functions = drivers.stream()
          .map(driver ->
              driver.function(driver.load(BINARY), "kernel" + driver.info().ordinal()))
          .toList();
      List<Callable<Void>> work = IntStream.range(0, 8)
          .<Callable<Void>>mapToObj(i -> () -> {
            Launch launch = new Launch();
            for (int n = 0; n < 100; n++) {
              drivers.get((i + n) % 2).launch(functions.get((i + n) % 2), launch, 0);
            }
            return null;
          })
          .toList();
      for (Future<Void> done : threads.invokeAll(work)) {
        done.get();
      }
    }
    assertEquals(400, stub.log("launch kernel0 on 0").size());
    assertEquals(400, stub.log("launch kernel1 on 1").size());
    assertEquals(800, stub.log("launch").size());
  }

  @Test
  void makesNoGarbagePerLaunch() {
    stub.set("logging", 0);
    var bean = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    try (Driver driver = JcudaDriver.open(0);
        CudaQueue queue = new CudaQueue(driver, driver.createStream())) {
      CudaKernel kernel = queue.family("stubbed").kernel("norm");
      long least = Long.MAX_VALUE;
      for (int round = 0; round < 200 && least > 0; round++) {
        long before = bean.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < 100; i++) {
          Launch launch = queue
              .launch()
              .grid(i + 1, 1, 1)
              .block(256, 1, 1)
              .pointer(1)
              .pointer(2)
              .i64(i)
              .f32(1);
          queue.run(kernel, launch);
        }
        least = Math.min(least, bean.getCurrentThreadAllocatedBytes() - before);
      }
      assertEquals(0, least, "bytes allocated by 100 launches");
    }
  }

  @Test
  void keepsScratchMemoryUntilItIsTooSmall() {
    try (Driver driver = JcudaDriver.open(0)) {
      try (CudaQueue queue = new CudaQueue(driver, 0)) {
        long address = queue.scratch(1000);
        assertEquals(address, queue.scratch(1 << 20));
        assertNotEquals(address, queue.scratch((1 << 20) + 1));
        assertEquals(3 << 20, stub.used());
      }
      assertEquals(0, stub.used());
    }
  }
}
