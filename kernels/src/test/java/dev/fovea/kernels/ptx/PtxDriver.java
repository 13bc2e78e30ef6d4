package dev.fovea.kernels.ptx;

import dev.fovea.kernels.cuda.CudaException;
import dev.fovea.kernels.cuda.DeviceInfo;
import dev.fovea.kernels.cuda.Driver;
import dev.fovea.kernels.cuda.FunctionInfo;
import dev.fovea.kernels.cuda.KernelBinary;
import dev.fovea.kernels.cuda.Launch;
import dev.fovea.kernels.cuda.MemoryInfo;
import dev.fovea.kernels.cuda.TensorMap;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/**
 * A GPU made of Java: it executes the PTX that the build made, and notes which kernels ran. What a kernel does wrong
 * fails the call that runs it and, as on a GPU, every call after it.
 */
public final class PtxDriver implements Driver {
  private static final long ALIGNMENT = 256;

  private final PtxOptions options;
  private final GlobalMemory memory = new GlobalMemory();
  private final PtxStreams streams;
  private final ExecutorService pool;
  private final Map<Long, Arena> pinned = new HashMap<>();
  private final Map<Long, Long> pinnedBytes = new HashMap<>();
  private final PtxModules modules;
  private final List<PtxLaunch> launches = new ArrayList<>();
  private final List<String> operations = new ArrayList<>();
  private @Nullable PtxException failure;

  /** A device like that. */
  public PtxDriver(PtxOptions options) {
    this.options = options;
    modules = new PtxModules(options, memory);
    streams = new PtxStreams(options.deferred());
    pool = Executors.newFixedThreadPool(
        Math.max(1, options.threads() - 1),
        task -> Thread.ofPlatform().name("ptx").daemon().unstarted(task));
  }

  /** The standard device. */
  public PtxDriver() {
    this(PtxOptions.standard());
  }

  @Override
  public DeviceInfo info() {
    return new DeviceInfo(
        0,
        "PTX machine",
        options.major(),
        0,
        options.multiprocessors(),
        options.memoryBytes(),
        options.sharedBytes(),
        options.sharedBytes() + 1024,
        40 << 20,
        13000);
  }

  @Override
  public synchronized MemoryInfo memory() {
    check();
    return new MemoryInfo(options.memoryBytes() - memory.used(), options.memoryBytes());
  }

  /** The kernels that ran, in order. */
  public synchronized List<PtxLaunch> launches() {
    return List.copyOf(launches);
  }

  /** All that streams did, in order: kernels by their names, and "copy", "copyToDevice", "copyToHost", "fill 0". */
  public synchronized List<String> operations() {
    return List.copyOf(operations);
  }

  /** Forgets what ran. */
  public synchronized void clearLaunches() {
    launches.clear();
    operations.clear();
  }

  @Override
  public synchronized long allocate(long bytes, long stream) {
    check();
    streams.forbidRecording(stream, "allocating");
    long rounded = (bytes + ALIGNMENT - 1) & -ALIGNMENT;
    if (bytes < 1 || rounded > options.memoryBytes() - memory.used()) {
      return 0;
    }
    return memory.allocate(bytes, "allocation").base;
  }

  @Override
  public synchronized void free(long address, long stream) {
    streams.forbidRecording(stream, "freeing");
    submit(stream, "free", () -> memory.free(address));
  }

  @Override
  public synchronized void trim() {
    check();
    streams.forbidRecording("waiting for all streams");
    guarded(streams::synchronizeAll);
  }

  @Override
  public synchronized MemorySegment allocatePinned(long bytes) {
    check();
    Arena arena = Arena.ofShared();
    MemorySegment segment = arena.allocate(bytes, ALIGNMENT);
    pinned.put(segment.address(), arena);
    pinnedBytes.put(segment.address(), bytes);
    return segment;
  }

  @Override
  public synchronized void freePinned(MemorySegment segment) {
    Arena arena = pinned.remove(segment.address());
    if (arena == null) {
      throw new CudaException("CUDA_ERROR_INVALID_VALUE", "freePinned: this memory was not pinned, or was freed");
    }
    pinnedBytes.remove(segment.address());
    guarded(streams::synchronizeAll);
    arena.close();
  }

  private boolean isPinned(MemorySegment segment) {
    long address = segment.address();
    return pinnedBytes.entrySet().stream()
        .anyMatch(e -> address >= e.getKey() && address + segment.byteSize() <= e.getKey() + e.getValue());
  }

  private static void checkNative(MemorySegment segment) {
    if (!segment.isNative()) {
      throw new IllegalArgumentException("memory of the host: got memory on the heap, expected native memory");
    }
  }

  @Override
  public synchronized void copyToDevice(long to, MemorySegment from, long stream) {
    checkNative(from);
    if (isPinned(from)) {
      perform(stream, "copyToDevice", () -> memory.copyIn(to, from));
      return;
    }
    streams.forbidRecording(stream, "copying from memory that is not pinned");
    MemorySegment kept =
        options.deferred() ? Arena.ofAuto().allocate(from.byteSize()).copyFrom(from) : from;
    perform(stream, "copyToDevice", () -> memory.copyIn(to, kept));
  }

  @Override
  public synchronized void copyToHost(MemorySegment to, long from, long stream) {
    checkNative(to);
    if (isPinned(to)) {
      perform(stream, "copyToHost", () -> memory.copyOut(to, from));
      return;
    }
    streams.forbidRecording(stream, "copying to memory that is not pinned");
    perform(stream, "copyToHost", () -> memory.copyOut(to, from));
    synchronize(stream);
  }

  @Override
  public synchronized void copy(long to, long from, long bytes, long stream) {
    perform(stream, "copy", () -> memory.copy(to, from, bytes));
  }

  @Override
  public synchronized void fill(long address, byte value, long bytes, long stream) {
    perform(stream, "fill " + Byte.toUnsignedInt(value), () -> memory.fill(address, value, bytes));
  }

  @Override
  public synchronized long createStream() {
    check();
    return streams.createStream();
  }

  @Override
  public synchronized void destroyStream(long stream) {
    guarded(() -> streams.destroyStream(stream));
  }

  @Override
  public synchronized void synchronize(long stream) {
    check();
    guarded(() -> streams.synchronize(stream));
  }

  @Override
  public synchronized long createEvent() {
    check();
    return streams.createEvent();
  }

  @Override
  public synchronized void destroyEvent(long event) {
    streams.destroyEvent(event);
  }

  @Override
  public synchronized void record(long event, long stream) {
    check();
    guarded(() -> streams.record(event, stream));
  }

  @Override
  public synchronized void await(long stream, long event) {
    check();
    guarded(() -> streams.await(stream, event));
  }

  @Override
  public synchronized void synchronizeEvent(long event) {
    check();
    guarded(() -> streams.synchronizeEvent(event));
  }

  @Override
  public synchronized float millis(long from, long to) {
    return streams.millis(from, to);
  }

  @Override
  public synchronized long load(KernelBinary binary) {
    check();
    return modules.load(binary);
  }

  /** Loads PTX text; messages call it by this name. */
  public synchronized long load(String name, String ptx) {
    check();
    return modules.load(name, ptx);
  }

  @Override
  public synchronized void unload(long module) {
    modules.unload(module);
  }

  @Override
  public synchronized long function(long module, String name) {
    check();
    return modules.function(module, name);
  }

  @Override
  public synchronized FunctionInfo info(long function) {
    return modules.info(function);
  }

  @Override
  public synchronized void allowShared(long function, int bytes) {
    modules.allowShared(function, bytes);
  }

  @Override
  public synchronized void encodeTensorMap(TensorMap map, MemorySegment to) {
    check();
    TensorMap.check(info(), to);
    TensorBox.encode(map, to);
  }

  @Override
  public synchronized void launch(long function, Launch launch, long stream) {
    check();
    Kernel kernel = modules.kernel(function);
    Block.Launch block = modules.prepare(function, launch);
    submit(stream, "launch " + kernel.name, () -> run(kernel, block));
  }

  private void run(Kernel kernel, Block.Launch launch) {
    long instructions = Grid.run(kernel, launch, pool, options.threads());
    operations.add(kernel.name);
    launches.add(new PtxLaunch(
        kernel.name,
        List.of(launch.gridX(), launch.gridY(), launch.gridZ()),
        List.of(launch.blockX(), launch.blockY(), launch.blockZ()),
        launch.dynamicShared(),
        instructions));
  }

  @Override
  public synchronized void beginCapture(long stream) {
    check();
    streams.beginCapture(stream);
  }

  @Override
  public synchronized long endCapture(long stream, long graph) {
    check();
    return streams.endCapture(stream, graph);
  }

  @Override
  public synchronized void launchGraph(long graph, long stream) {
    check();
    guarded(() -> streams.launchGraph(graph, stream));
  }

  @Override
  public synchronized void destroyGraph(long graph) {
    streams.destroyGraph(graph);
  }

  /** Submits what {@link #operations} tells. */
  private void perform(long stream, String kind, Runnable action) {
    submit(stream, kind, () -> {
      action.run();
      operations.add(kind);
    });
  }

  private void submit(long stream, String kind, Runnable action) {
    check();
    guarded(() -> streams.submit(stream, PtxStreams.work(kind, action)));
  }

  /** Fails if a kernel has failed: nothing works on a device after that. */
  private void check() {
    if (failure != null) {
      throw new CudaException(
          failure.code(), "the device failed before and must be closed: " + failure.getMessage(), failure);
    }
  }

  private void guarded(Runnable action) {
    try {
      action.run();
    } catch (PtxException e) {
      failure = e;
      throw new CudaException(e.code(), e.getMessage(), e);
    }
  }

  /** Frees everything; what was never waited for is done first, unless the device has failed. */
  @Override
  public synchronized void close() {
    try {
      if (failure == null) {
        guarded(streams::synchronizeAll);
      }
    } finally {
      streams.abandon();
      pool.shutdownNow();
      pinned.values().forEach(Arena::close);
      pinned.clear();
      memory.live().forEach(allocation -> memory.free(allocation.base));
    }
  }

  /** The allocations that nobody has freed, in words: for tests that look for leaks. */
  public synchronized List<String> allocations() {
    return memory.live().stream()
        .filter(a -> a.label.equals("allocation"))
        .map(Allocation::toString)
        .toList();
  }
}
