package dev.fovea.kernels.ptx;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.kernels.cuda.CudaException;
import dev.fovea.kernels.cuda.KernelBinary;
import dev.fovea.kernels.cuda.Launch;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The machine as a driver: memory, streams, events, graphs, launches and their log. */
class PtxDriverTest {
  /** Adds a number to every element. */
  private static final String TEXT = """
      .version 9.0
      .target sm_80
      .address_size 64
      .visible .entry increase(.param .align 8 .b8 args[16])
      .maxntid 128, 1, 1
      {
        .reg .b32 %r<8>;
        .reg .b64 %rd<4>;
        ld.param.u64 %rd1, [args];
        ld.param.u32 %r1, [args+8];
        mov.u32 %r2, %tid.x;
        mov.u32 %r3, %ctaid.x;
        mov.u32 %r4, %ntid.x;
        mad.lo.s32 %r2, %r3, %r4, %r2;
        mul.wide.u32 %rd2, %r2, 4;
        add.s64 %rd2, %rd1, %rd2;
        ld.global.u32 %r5, [%rd2];
        add.s32 %r5, %r5, %r1;
        st.global.u32 [%rd2], %r5;
        ret;
      }
      """;

  /** The block whose number the first word holds writes the second. */
  private static final String CHOSEN = """
      .version 9.0
      .target sm_80
      .address_size 64
      .visible .entry chosen(.param .align 8 .b8 args[16])
      .maxntid 128, 1, 1
      {
        .reg .b32 %r<4>;
        .reg .b64 %rd<2>;
        .reg .pred %p<2>;
        ld.param.u64 %rd1, [args];
        mov.u32 %r1, %ctaid.x;
        ld.global.u32 %r2, [%rd1];
        setp.ne.u32 %p1, %r1, %r2;
        @%p1 bra done;
        st.global.u32 [%rd1+4], %r1;
      done:
        ret;
      }
      """;

  private static PtxDriver driver(boolean deferred) {
    return new PtxDriver(
        PtxOptions.standard().withThreads(2).withMemory(1 << 20).withDeferred(deferred));
  }

  private static MemorySegment host(PtxDriver driver, int... values) {
    MemorySegment pinned = driver.allocatePinned(4L * values.length);
    MemorySegment.copy(values, 0, pinned, ValueLayout.JAVA_INT, 0, values.length);
    return pinned;
  }

  private static Launch launch(long address, int by) {
    return new Launch().grid(2, 1, 1).block(2, 1, 1).pointer(address).i32(by);
  }

  @Test
  void kernelsRunInTheOrderOfTheirStream() {
    for (boolean deferred : List.of(false, true)) {
      try (PtxDriver driver = driver(deferred)) {
        long stream = driver.createStream();
        long function = driver.function(driver.load("increase.ptx", TEXT), "increase");
        MemorySegment host = host(driver, 1, 2, 3, 4);
        long memory = driver.allocate(16, stream);
        assertEquals(0, memory % 256);
        driver.copyToDevice(memory, host, stream);
        driver.launch(function, launch(memory, 10), stream);
        driver.launch(function, launch(memory, 100), stream);
        driver.copyToHost(host, memory, stream);
        // Nothing has been waited for.
        assertEquals(deferred ? 1 : 111, host.get(ValueLayout.JAVA_INT, 0));
        driver.synchronize(stream);
        assertArrayEquals(new int[] {111, 112, 113, 114}, host.toArray(ValueLayout.JAVA_INT));
        assertEquals(
            List.of("increase", "increase"),
            driver.launches().stream().map(PtxLaunch::kernel).toList());
        assertEquals(List.of(2, 1, 1), driver.launches().getFirst().grid());
        assertEquals(List.of(2, 1, 1), driver.launches().getFirst().block());
        assertEquals(4 * 12, driver.launches().getFirst().instructions());
      }
    }
  }

  @Test
  void memoryOfTheHostThatIsNotPinnedIsCopiedAtOnce() {
    try (PtxDriver driver = driver(true);
        Arena arena = Arena.ofConfined()) {
      MemorySegment host = arena.allocateFrom(ValueLayout.JAVA_INT, 1, 2, 3, 4);
      long memory = driver.allocate(16, 0);
      driver.copyToDevice(memory, host, 0);
      host.fill((byte) 0);
      driver.copyToHost(host, memory, 0);
      assertArrayEquals(new int[] {1, 2, 3, 4}, host.toArray(ValueLayout.JAVA_INT));
      assertThrows(
          IllegalArgumentException.class, () -> driver.copyToDevice(memory, MemorySegment.ofArray(new int[4]), 0));
    }
  }

  @Test
  void eventsOrderStreams() {
    try (PtxDriver driver = driver(true)) {
      long first = driver.createStream();
      long second = driver.createStream();
      long function = driver.function(driver.load("increase.ptx", TEXT), "increase");
      MemorySegment host = host(driver, 1, 2, 3, 4);
      MemorySegment early = host(driver, 0, 0, 0, 0);
      long memory = driver.allocate(16, first);
      driver.fill(memory, (byte) 0, 16, first);
      driver.synchronize(first);
      long start = driver.createEvent();
      long event = driver.createEvent();
      driver.record(start, first);
      driver.copyToDevice(memory, host, first);
      driver.launch(function, launch(memory, 10), first);
      driver.record(event, first);
      // Without waiting, the other stream sees what was there before.
      driver.copyToHost(early, memory, second);
      driver.synchronize(second);
      assertArrayEquals(new int[4], early.toArray(ValueLayout.JAVA_INT));
      driver.await(second, event);
      driver.copyToHost(early, memory, second);
      driver.synchronize(second);
      assertArrayEquals(new int[] {11, 12, 13, 14}, early.toArray(ValueLayout.JAVA_INT));
      driver.synchronizeEvent(event);
      assertTrue(driver.millis(start, event) >= 0);
      driver.destroyEvent(event);
      assertThrows(CudaException.class, () -> driver.record(event, first));
    }
  }

  @Test
  void anyBlockMayWriteInAnotherReplay() {
    try (PtxDriver driver = driver(false)) {
      long stream = driver.createStream();
      long function = driver.function(driver.load("chosen.ptx", CHOSEN), "chosen");
      long memory = driver.allocate(8, stream);
      driver.synchronize(stream);
      driver.beginCapture(stream);
      driver.launch(
          function, new Launch().grid(2, 1, 1).block(1, 1, 1).pointer(memory).i32(0), stream);
      long graph = driver.endCapture(stream, 0);
      for (int block : new int[] {0, 1}) {
        MemorySegment host = host(driver, block, 7);
        driver.copyToDevice(memory, host, stream);
        driver.launchGraph(graph, stream);
        driver.copyToHost(host, memory, stream);
        driver.synchronize(stream);
        assertEquals(block, host.getAtIndex(ValueLayout.JAVA_INT, 1));
      }
      driver.destroyGraph(graph);
    }
  }

  @Test
  void graphsAreRecordedChangedAndReplayed() {
    try (PtxDriver driver = driver(false)) {
      long stream = driver.createStream();
      long function = driver.function(driver.load("increase.ptx", TEXT), "increase");
      MemorySegment host = host(driver, 0, 0, 0, 0);
      long memory = driver.allocate(16, stream);
      driver.fill(memory, (byte) 0, 16, stream);
      long before = driver.createEvent();
      driver.record(before, stream);
      driver.beginCapture(stream);
      driver.launch(function, launch(memory, 10), stream);
      assertThrows(CudaException.class, () -> driver.allocate(16, stream));
      assertThrows(CudaException.class, () -> driver.synchronize(stream));
      assertThrows(CudaException.class, driver::trim);
      assertThrows(CudaException.class, () -> driver.await(stream, before));
      long graph = driver.endCapture(stream, 0);
      assertEquals(0, driver.launches().size());
      driver.launchGraph(graph, stream);
      driver.launchGraph(graph, stream);
      driver.beginCapture(stream);
      driver.launch(function, launch(memory, 5), stream);
      assertEquals(graph, driver.endCapture(stream, graph));
      driver.launchGraph(graph, stream);
      driver.copyToHost(host, memory, stream);
      assertArrayEquals(new int[] {25, 25, 25, 25}, host.toArray(ValueLayout.JAVA_INT));
      driver.beginCapture(stream);
      driver.copyToHost(host, memory, stream);
      assertNotEquals(graph, driver.endCapture(stream, graph));
      driver.destroyGraph(graph);
      assertThrows(CudaException.class, () -> driver.launchGraph(graph, stream));
    }
  }

  @Test
  void memoryIsCountedAndRunsOut() {
    try (PtxDriver driver = driver(false)) {
      long all = driver.memory().freeBytes();
      long memory = driver.allocate(1 << 19, 0);
      assertEquals(all - (1 << 19), driver.memory().freeBytes());
      assertEquals(0, driver.allocate((1 << 19) + 1, 0));
      assertEquals(1, driver.allocations().size());
      driver.free(memory, 0);
      assertEquals(all, driver.memory().freeBytes());
      assertEquals(List.of(), driver.allocations());
      CudaException twice = assertThrows(CudaException.class, () -> driver.free(memory, 0));
      assertTrue(twice.getMessage().contains("was freed already"), twice.getMessage());
    }
  }

  @Test
  void whatAKernelDoesWrongFailsTheDevice() {
    for (boolean deferred : List.of(false, true)) {
      try (PtxDriver driver = driver(deferred)) {
        long function = driver.function(driver.load("increase.ptx", TEXT), "increase");
        long memory = driver.allocate(12, 0);
        driver.fill(memory, (byte) 1, 12, 0);
        CudaException fault = assertThrows(CudaException.class, () -> {
          driver.launch(function, launch(memory, 10), 0);
          driver.synchronize(0);
        });
        assertEquals("CUDA_ERROR_ILLEGAL_ADDRESS", fault.code());
        assertTrue(fault.getMessage().contains("kernel increase, block (1,0,0), thread (1,0,0): reads 4 bytes at 0x"));
        assertTrue(fault.getMessage().contains("0 bytes past the end of allocation (12 bytes at"));
        CudaException later = assertThrows(CudaException.class, () -> driver.synchronize(0));
        assertTrue(later.getMessage().startsWith("the device failed before"), later.getMessage());
      }
    }
  }

  @Test
  void launchesAreChecked() {
    try (PtxDriver driver = driver(false)) {
      long module = driver.load("increase.ptx", TEXT);
      long function = driver.function(module, "increase");
      assertEquals(128, driver.info(function).maxThreads());
      assertThrows(CudaException.class, () -> driver.function(module, "decrease"));
      assertLaunchFails(driver, function, new Launch().i64(1), "got 8 bytes of arguments, it takes 16");
      assertLaunchFails(driver, function, launch(1, 1).shared(50_000), "allowed are 49152");
      assertLaunchFails(driver, function, launch(1, 1).cluster(2, 1, 1), "clusters need compute capability 9.0");
      driver.allowShared(function, 100_000);
      assertThrows(CudaException.class, () -> driver.allowShared(function, 200_000));
      assertLaunchFails(driver, function, launch(1, 1).block(129, 1, 1), "built for blocks of 128 threads at most");
    }
  }

  private static void assertLaunchFails(PtxDriver driver, long function, Launch launch, String says) {
    CudaException fault = assertThrows(CudaException.class, () -> driver.launch(function, launch, 0));
    assertTrue(fault.getMessage().contains(says), fault.getMessage());
  }

  @Test
  void modulesThatAreNotThereAreNamed() {
    try (PtxDriver driver = driver(false)) {
      CudaException fault = assertThrows(CudaException.class, () -> driver.load(new KernelBinary("nonsense")));
      assertTrue(fault.getMessage().contains("no PTX of the kernel family nonsense"), fault.getMessage());
      long module = driver.load("increase.ptx", TEXT);
      driver.unload(module);
      assertThrows(CudaException.class, () -> driver.function(module, "increase"));
      assertEquals("8.0", driver.info().capability());
    }
  }

  @Test
  void resultsDoNotDependOnThreads() {
    int[][] results = new int[2][];
    for (int threads = 1; threads <= 2; threads++) {
      try (PtxDriver driver = new PtxDriver(PtxOptions.standard().withThreads(2 * threads - 1))) {
        long function = driver.function(driver.load("increase.ptx", TEXT), "increase");
        long memory = driver.allocate(4 << 10, 0);
        driver.fill(memory, (byte) 3, 4 << 10, 0);
        driver.launch(
            function,
            new Launch().grid(16, 1, 1).block(64, 1, 1).pointer(memory).i32(7),
            0);
        MemorySegment host = host(driver, new int[1024]);
        driver.copyToHost(host, memory, 0);
        results[threads - 1] = host.toArray(ValueLayout.JAVA_INT);
      }
    }
    assertArrayEquals(results[0], results[1]);
    assertEquals(0x03030303 + 7, Arrays.stream(results[0]).max().getAsInt());
  }
}
