package dev.fovea.kernels.cuda;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import jcuda.driver.CUdevice;
import jcuda.driver.CUevent;
import jcuda.driver.CUstream;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;

/**
 * A GPU through NVIDIA's driver library and nothing else: no toolkit, no CUDA runtime. JCuda serves what is done once
 * for a process, a device or a module; what is done at every step goes straight to the library ({@link Libcuda}), which
 * takes a tenth of the time and makes no garbage. The device's primary context is current on the calling thread during
 * every call, so that any thread may call and other libraries on the same device share its memory.
 *
 * <p>A kernel that fails shows at a later call, whose exception names the last launches. With the system property
 * {@code fovea.cuda.sync=true} every launch is waited for, and its own call fails.
 */
@SuppressWarnings("restricted")
public final class JcudaDriver implements Driver {
  /** Less than this and not even a small model runs. */
  private static final long LEAST_FREE = 64 << 20;

  private static final int MEMORY_POOLS_SUPPORTED = 115;
  private static final int POOL_RELEASE_THRESHOLD = 4;

  private final DeviceInfo info;
  private final CUdevice device;
  private final JcudaCalls calls;
  private final JcudaModules modules;
  private final JcudaGraphs graphs;
  private final long pool;
  private final Map<Long, CUstream> streams = new ConcurrentHashMap<>();
  private final Map<Long, CUevent> events = new ConcurrentHashMap<>();

  private JcudaDriver(DeviceInfo info, CUdevice device, JcudaHandles.Context context) {
    this.info = info;
    this.device = device;
    calls = new JcudaCalls(info, context);
    modules = new JcudaModules(calls);
    graphs = new JcudaGraphs(calls, streams);
    streams.put(0L, new CUstream());
    pool = pool();
  }

  /**
   * The GPUs of this machine, also those that are not supported.
   *
   * @throws CudaException if there is no driver that can be used, or no GPU; the message says which
   */
  public static List<DeviceInfo> devices() {
    return JcudaDevices.all();
  }

  /**
   * Opens a GPU.
   *
   * @param ordinal its number, from 0
   * @throws CudaException if it cannot be used; the message says why and what to do
   */
  public static JcudaDriver open(int ordinal) {
    JcudaDevices.require();
    int count = JcudaDevices.count();
    if (ordinal < 0 || ordinal >= count) {
      throw new CudaException(
          "CUDA_ERROR_INVALID_DEVICE", "no GPU %d: this machine has %d, numbered from 0".formatted(ordinal, count));
    }
    DeviceInfo info = JcudaDevices.info(ordinal);
    String name = "GPU %d (%s)".formatted(ordinal, info.name());
    if (!info.isAtLeast(8, 0)) {
      throw new CudaException(
          "UNSUPPORTED_GPU",
          "%s has compute capability %s, 8.0 or later is needed (Ampere, 2020)".formatted(name, info.capability()));
    }
    CUdevice device = JcudaDevices.handle(ordinal);
    JcudaHandles.Context context = new JcudaHandles.Context();
    int error = JCudaDriver.cuDevicePrimaryCtxRetain(context, device);
    if (error != 0) {
      throw CudaErrors.failed(error, "use of " + name);
    }
    JcudaDriver driver = new JcudaDriver(info, device, context);
    MemoryInfo memory = driver.memory();
    if (memory.freeBytes() < LEAST_FREE) {
      driver.close();
      throw new CudaException(
          "CUDA_ERROR_OUT_OF_MEMORY",
          "%s has %,d of %,d bytes of memory free, too few to work with; other processes use it: see nvidia-smi"
              .formatted(name, memory.freeBytes(), memory.totalBytes()));
    }
    return driver;
  }

  /** The pool that allocations come from, which keeps what is freed until it is trimmed; 0 if the GPU has none. */
  private long pool() {
    if (JcudaDevices.attribute(device, MEMORY_POOLS_SUPPORTED) == 0) {
      return 0;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment value = arena.allocate(JAVA_LONG);
      calls.check(Libcuda.defaultPool(value, info.ordinal()), "memory pool");
      long found = value.get(JAVA_LONG, 0);
      value.set(JAVA_LONG, 0, Long.MAX_VALUE);
      calls.check(Libcuda.setPool(found, POOL_RELEASE_THRESHOLD, value), "release threshold of the memory pool");
      return found;
    }
  }

  @Override
  public DeviceInfo info() {
    return info;
  }

  @Override
  public MemoryInfo memory() {
    calls.enter();
    long[] free = new long[1];
    long[] total = new long[1];
    calls.check(JCudaDriver.cuMemGetInfo(free, total), "free memory");
    return new MemoryInfo(free[0], total[0]);
  }

  // Memory

  @Override
  public long allocate(long bytes, long stream) {
    calls.enter();
    calls.forbidRecorded(stream, "allocation");
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment address = arena.allocate(JAVA_LONG);
      int error = pool == 0 ? Libcuda.allocateNow(address, bytes) : Libcuda.allocate(address, bytes, stream);
      if (error == CudaErrors.OUT_OF_MEMORY) {
        return 0;
      }
      calls.check(error, "allocation of %,d bytes".formatted(bytes));
      return address.get(JAVA_LONG, 0);
    }
  }

  @Override
  public void free(long address, long stream) {
    calls.enter();
    calls.forbidRecorded(stream, "free");
    if (pool == 0) {
      calls.check(Libcuda.synchronize(stream), "free");
      calls.check(Libcuda.freeNow(address), "free");
    } else {
      calls.check(Libcuda.free(address, stream), "free");
    }
  }

  @Override
  public void trim() {
    calls.enter();
    calls.forbidRecording("trim of the memory pool");
    calls.check(JCudaDriver.cuCtxSynchronize(), "trim of the memory pool");
    if (pool != 0) {
      calls.check(Libcuda.trimPool(pool, 0), "trim of the memory pool");
    }
  }

  @Override
  public MemorySegment allocatePinned(long bytes) {
    calls.enter();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment address = arena.allocate(JAVA_LONG);
      calls.check(Libcuda.pin(address, bytes), "allocation of %,d bytes of pinned host memory".formatted(bytes));
      return MemorySegment.ofAddress(address.get(JAVA_LONG, 0)).reinterpret(bytes);
    }
  }

  @Override
  public void freePinned(MemorySegment memory) {
    calls.enter();
    calls.check(Libcuda.unpin(memory.address()), "free of pinned host memory");
  }

  @Override
  public void copyToDevice(long to, MemorySegment from, long stream) {
    calls.enter();
    try {
      calls.checkQueued(
          Libcuda.copyToDevice(to, from.address(), from.byteSize(), stream), "copy to the device", stream);
    } finally {
      Reference.reachabilityFence(from);
    }
  }

  @Override
  public void copyToHost(MemorySegment to, long from, long stream) {
    calls.enter();
    try {
      calls.checkQueued(Libcuda.copyToHost(to.address(), from, to.byteSize(), stream), "copy to the host", stream);
    } finally {
      Reference.reachabilityFence(to);
    }
  }

  @Override
  public void copy(long to, long from, long bytes, long stream) {
    calls.enter();
    calls.checkQueued(Libcuda.copy(to, from, bytes, stream), "copy on the device", stream);
  }

  @Override
  public void fill(long address, byte value, long bytes, long stream) {
    calls.enter();
    calls.checkQueued(Libcuda.fill(address, value, bytes, stream), "fill", stream);
  }

  // Streams and events

  @Override
  public long createStream() {
    calls.enter();
    JcudaHandles.Stream stream = new JcudaHandles.Stream();
    calls.check(JCudaDriver.cuStreamCreate(stream, CUstream_flags.CU_STREAM_NON_BLOCKING), "new stream");
    streams.put(stream.address(), stream);
    return stream.address();
  }

  @Override
  public void destroyStream(long stream) {
    calls.enter();
    calls.check(JCudaDriver.cuStreamDestroy(JcudaHandles.known(streams.remove(stream), "stream")), "end of a stream");
  }

  @Override
  public void synchronize(long stream) {
    calls.enter();
    calls.check(Libcuda.synchronize(stream), "wait for a stream");
  }

  @Override
  public long createEvent() {
    calls.enter();
    JcudaHandles.Event event = new JcudaHandles.Event();
    calls.check(JCudaDriver.cuEventCreate(event, 0), "new event");
    events.put(event.address(), event);
    return event.address();
  }

  @Override
  public void destroyEvent(long event) {
    calls.enter();
    calls.check(JCudaDriver.cuEventDestroy(JcudaHandles.known(events.remove(event), "event")), "end of an event");
  }

  @Override
  public void record(long event, long stream) {
    calls.enter();
    calls.check(Libcuda.record(event, stream), "record of an event");
  }

  @Override
  public void await(long stream, long event) {
    calls.enter();
    calls.check(Libcuda.await(stream, event), "wait of a stream for an event");
  }

  @Override
  public void synchronizeEvent(long event) {
    calls.enter();
    calls.check(Libcuda.synchronizeEvent(event), "wait for an event");
  }

  @Override
  public float millis(long from, long to) {
    calls.enter();
    float[] millis = new float[1];
    CUevent first = JcudaHandles.known(events.get(from), "event");
    calls.check(
        JCudaDriver.cuEventElapsedTime(millis, first, JcudaHandles.known(events.get(to), "event")),
        "time between events");
    return millis[0];
  }

  // Kernels

  @Override
  public long load(KernelBinary binary) {
    return modules.load(binary);
  }

  @Override
  public void unload(long module) {
    modules.unload(module);
  }

  @Override
  public long function(long module, String name) {
    return modules.function(module, name);
  }

  @Override
  public FunctionInfo info(long function) {
    return modules.info(function);
  }

  @Override
  public void allowShared(long function, int bytes) {
    modules.allowShared(function, bytes);
  }

  @Override
  public void encodeTensorMap(TensorMap map, MemorySegment to) {
    calls.enter();
    TensorMap.check(info, to);
    calls.check(TensorMapCall.encode(map, to), "encoding of " + map);
  }

  @Override
  public void launch(long function, Launch launch, long stream) {
    calls.enter();
    calls.log().add(function);
    try {
      LaunchConfig.write(launch, stream);
      int error = Libcuda.launch(LaunchConfig.address(launch), function, LaunchConfig.arguments(launch));
      if (error != 0) {
        throw calls.failed(error, "launch of %s (%s)".formatted(calls.log().name(function), launch));
      }
    } finally {
      Reference.reachabilityFence(launch);
    }
    if (calls.waits()) {
      int error = Libcuda.synchronize(stream);
      if (error != 0) {
        throw CudaErrors.failed(
            error, calls.where("run of %s (%s)".formatted(calls.log().name(function), launch)));
      }
    }
  }

  // Graphs

  @Override
  public void beginCapture(long stream) {
    graphs.beginCapture(stream);
  }

  @Override
  public long endCapture(long stream, long graph) {
    return graphs.endCapture(stream, graph);
  }

  @Override
  public void launchGraph(long graph, long stream) {
    graphs.launch(graph, stream);
  }

  @Override
  public void destroyGraph(long graph) {
    graphs.destroy(graph);
  }

  @Override
  public void close() {
    calls.enter();
    int error = JCudaDriver.cuCtxSynchronize();
    calls.close();
    JCudaDriver.cuDevicePrimaryCtxRelease(device);
    if (error != 0) {
      throw calls.failed(error, "close");
    }
  }
}
