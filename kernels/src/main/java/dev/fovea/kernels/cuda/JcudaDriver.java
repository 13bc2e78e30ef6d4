package dev.fovea.kernels.cuda;

import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUevent;
import jcuda.driver.CUfunction;
import jcuda.driver.CUfunction_attribute;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUmodule;
import jcuda.driver.CUstream;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.CUstream_flags;
import jcuda.driver.JCudaDriver;
import org.jspecify.annotations.Nullable;

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
  private static final int UPDATE_RESULT_BYTES = 24;

  private final boolean sync = Boolean.getBoolean("fovea.cuda.sync");
  private final DeviceInfo info;
  private final CUdevice device;
  private final Context context;
  private final long pool;
  private final LaunchLog log = new LaunchLog();
  private final AtomicInteger capturing = new AtomicInteger();
  private final Map<Long, CUmodule> modules = new ConcurrentHashMap<>();
  private final Map<Long, CUfunction> functions = new ConcurrentHashMap<>();
  private final Map<Long, CUstream> streams = new ConcurrentHashMap<>();
  private final Map<Long, CUevent> events = new ConcurrentHashMap<>();
  private final Map<Long, CUgraphExec> graphs = new ConcurrentHashMap<>();
  private volatile boolean closed;

  // JCuda's handles, with the number that they hold.

  private static final class Context extends CUcontext {
    long address() {
      return getNativePointer();
    }
  }

  private static final class Module extends CUmodule {
    long address() {
      return getNativePointer();
    }
  }

  private static final class Function extends CUfunction {
    long address() {
      return getNativePointer();
    }
  }

  private static final class Stream extends CUstream {
    long address() {
      return getNativePointer();
    }
  }

  private static final class Event extends CUevent {
    long address() {
      return getNativePointer();
    }
  }

  private static final class Graph extends CUgraph {
    long address() {
      return getNativePointer();
    }
  }

  private static final class Executable extends CUgraphExec {
    long address() {
      return getNativePointer();
    }
  }

  private JcudaDriver(DeviceInfo info, CUdevice device, Context context) {
    this.info = info;
    this.device = device;
    this.context = context;
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
    Context context = new Context();
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
      check(Libcuda.defaultPool(value, info.ordinal()), "memory pool");
      long found = value.get(JAVA_LONG, 0);
      value.set(JAVA_LONG, 0, Long.MAX_VALUE);
      check(Libcuda.setPool(found, POOL_RELEASE_THRESHOLD, value), "release threshold of the memory pool");
      return found;
    }
  }

  @Override
  public DeviceInfo info() {
    return info;
  }

  @Override
  public MemoryInfo memory() {
    enter();
    long[] free = new long[1];
    long[] total = new long[1];
    check(JCudaDriver.cuMemGetInfo(free, total), "free memory");
    return new MemoryInfo(free[0], total[0]);
  }

  // Memory

  @Override
  public long allocate(long bytes, long stream) {
    enter();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment address = arena.allocate(JAVA_LONG);
      int error = pool == 0 ? Libcuda.allocateNow(address, bytes) : Libcuda.allocate(address, bytes, stream);
      if (error == CudaErrors.OUT_OF_MEMORY) {
        return 0;
      }
      check(error, "allocation of %,d bytes".formatted(bytes));
      return address.get(JAVA_LONG, 0);
    }
  }

  @Override
  public void free(long address, long stream) {
    enter();
    if (pool == 0) {
      check(Libcuda.synchronize(stream), "free");
      check(Libcuda.freeNow(address), "free");
    } else {
      check(Libcuda.free(address, stream), "free");
    }
  }

  @Override
  public void trim() {
    enter();
    check(JCudaDriver.cuCtxSynchronize(), "trim of the memory pool");
    if (pool != 0) {
      check(Libcuda.trimPool(pool, 0), "trim of the memory pool");
    }
  }

  @Override
  public MemorySegment allocatePinned(long bytes) {
    enter();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment address = arena.allocate(JAVA_LONG);
      check(Libcuda.pin(address, bytes), "allocation of %,d bytes of pinned host memory".formatted(bytes));
      return MemorySegment.ofAddress(address.get(JAVA_LONG, 0)).reinterpret(bytes);
    }
  }

  @Override
  public void freePinned(MemorySegment memory) {
    enter();
    check(Libcuda.unpin(memory.address()), "free of pinned host memory");
  }

  @Override
  public void copyToDevice(long to, MemorySegment from, long stream) {
    enter();
    try {
      checkQueued(Libcuda.copyToDevice(to, from.address(), from.byteSize(), stream), "copy to the device", stream);
    } finally {
      Reference.reachabilityFence(from);
    }
  }

  @Override
  public void copyToHost(MemorySegment to, long from, long stream) {
    enter();
    try {
      checkQueued(Libcuda.copyToHost(to.address(), from, to.byteSize(), stream), "copy to the host", stream);
    } finally {
      Reference.reachabilityFence(to);
    }
  }

  @Override
  public void copy(long to, long from, long bytes, long stream) {
    enter();
    checkQueued(Libcuda.copy(to, from, bytes, stream), "copy on the device", stream);
  }

  @Override
  public void fill(long address, byte value, long bytes, long stream) {
    enter();
    checkQueued(Libcuda.fill(address, value, bytes, stream), "fill", stream);
  }

  // Streams and events

  @Override
  public long createStream() {
    enter();
    Stream stream = new Stream();
    check(JCudaDriver.cuStreamCreate(stream, CUstream_flags.CU_STREAM_NON_BLOCKING), "new stream");
    streams.put(stream.address(), stream);
    return stream.address();
  }

  @Override
  public void destroyStream(long stream) {
    enter();
    check(JCudaDriver.cuStreamDestroy(known(streams.remove(stream), "stream")), "end of a stream");
  }

  @Override
  public void synchronize(long stream) {
    enter();
    check(Libcuda.synchronize(stream), "wait for a stream");
  }

  @Override
  public long createEvent() {
    enter();
    Event event = new Event();
    check(JCudaDriver.cuEventCreate(event, 0), "new event");
    events.put(event.address(), event);
    return event.address();
  }

  @Override
  public void destroyEvent(long event) {
    enter();
    check(JCudaDriver.cuEventDestroy(known(events.remove(event), "event")), "end of an event");
  }

  @Override
  public void record(long event, long stream) {
    enter();
    check(Libcuda.record(event, stream), "record of an event");
  }

  @Override
  public void await(long stream, long event) {
    enter();
    check(Libcuda.await(stream, event), "wait of a stream for an event");
  }

  @Override
  public void synchronizeEvent(long event) {
    enter();
    check(Libcuda.synchronizeEvent(event), "wait for an event");
  }

  @Override
  public float millis(long from, long to) {
    enter();
    float[] millis = new float[1];
    CUevent first = known(events.get(from), "event");
    check(JCudaDriver.cuEventElapsedTime(millis, first, known(events.get(to), "event")), "time between events");
    return millis[0];
  }

  // Kernels

  @Override
  public long load(KernelBinary binary) {
    byte[] image = binary.fatBinary();
    if (image == null) {
      throw new CudaException(
          "NO_KERNELS",
          "%s kernels were not built: nvcc was not found when this Fovea was built".formatted(binary.family()));
    }
    enter();
    Module module = new Module();
    // A direct buffer: of an array, JCuda would hold up garbage collection while the driver compiles.
    ByteBuffer direct = ByteBuffer.allocateDirect(image.length).put(image).flip();
    int error = JCudaDriver.cuModuleLoadDataEx(module, Pointer.to(direct), 0, new int[0], Pointer.to(new int[0]));
    check(error, "load of %s kernels".formatted(binary.family()));
    modules.put(module.address(), module);
    return module.address();
  }

  @Override
  public void unload(long module) {
    enter();
    check(JCudaDriver.cuModuleUnload(known(modules.remove(module), "module")), "unload of kernels");
  }

  @Override
  public long function(long module, String name) {
    enter();
    Function function = new Function();
    check(
        JCudaDriver.cuModuleGetFunction(function, known(modules.get(module), "module"), name),
        "look-up of kernel " + name);
    functions.put(function.address(), function);
    log.name(function.address(), name);
    return function.address();
  }

  @Override
  public FunctionInfo info(long function) {
    enter();
    CUfunction known = known(functions.get(function), "function");
    return new FunctionInfo(
        attribute(known, CUfunction_attribute.CU_FUNC_ATTRIBUTE_NUM_REGS),
        attribute(known, CUfunction_attribute.CU_FUNC_ATTRIBUTE_SHARED_SIZE_BYTES),
        attribute(known, CUfunction_attribute.CU_FUNC_ATTRIBUTE_LOCAL_SIZE_BYTES),
        attribute(known, CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_THREADS_PER_BLOCK));
  }

  private int attribute(CUfunction function, int attribute) {
    int[] value = new int[1];
    check(JCudaDriver.cuFuncGetAttribute(value, attribute, function), "attribute of a kernel");
    return value[0];
  }

  @Override
  public void allowShared(long function, int bytes) {
    enter();
    int attribute = CUfunction_attribute.CU_FUNC_ATTRIBUTE_MAX_DYNAMIC_SHARED_SIZE_BYTES;
    check(
        JCudaDriver.cuFuncSetAttribute(known(functions.get(function), "function"), attribute, bytes),
        "%,d bytes of shared memory for %s".formatted(bytes, log.name(function)));
  }

  @Override
  public void launch(long function, Launch launch, long stream) {
    enter();
    log.add(function);
    try {
      LaunchConfig.write(launch, stream);
      int error = Libcuda.launch(LaunchConfig.address(launch), function, LaunchConfig.arguments(launch));
      if (error != 0) {
        throw failed(error, "launch of %s (%s)".formatted(log.name(function), launch));
      }
    } finally {
      Reference.reachabilityFence(launch);
    }
    if (sync && capturing.get() == 0) {
      int error = Libcuda.synchronize(stream);
      if (error != 0) {
        throw CudaErrors.failed(error, where("run of %s (%s)".formatted(log.name(function), launch)));
      }
    }
  }

  // Graphs

  @Override
  public void beginCapture(long stream) {
    enter();
    CUstream known = known(streams.get(stream), "stream");
    check(
        JCudaDriver.cuStreamBeginCapture(known, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_RELAXED),
        "start of recording a graph");
    capturing.incrementAndGet();
  }

  @Override
  public long endCapture(long stream, long graph) {
    enter();
    capturing.decrementAndGet();
    Graph recorded = new Graph();
    check(JCudaDriver.cuStreamEndCapture(known(streams.get(stream), "stream"), recorded), "end of recording a graph");
    try {
      return graph != 0 && update(graph, recorded.address()) ? graph : instantiate(recorded);
    } finally {
      JCudaDriver.cuGraphDestroy(recorded);
    }
  }

  private boolean update(long graph, long recorded) {
    try (Arena arena = Arena.ofConfined()) {
      int error = Libcuda.updateGraph(graph, recorded, arena.allocate(UPDATE_RESULT_BYTES, Long.BYTES));
      if (error == CudaErrors.GRAPH_UPDATE_FAILURE) {
        return false;
      }
      check(error, "update of a graph");
      return true;
    }
  }

  private long instantiate(CUgraph recorded) {
    Executable executable = new Executable();
    check(JCudaDriver.cuGraphInstantiate(executable, recorded, 0), "making of a graph");
    graphs.put(executable.address(), executable);
    return executable.address();
  }

  @Override
  public void launchGraph(long graph, long stream) {
    enter();
    checkQueued(Libcuda.launchGraph(graph, stream), "launch of a graph", stream);
  }

  @Override
  public void destroyGraph(long graph) {
    enter();
    check(JCudaDriver.cuGraphExecDestroy(known(graphs.remove(graph), "graph")), "end of a graph");
  }

  // Common to all

  private void enter() {
    if (closed) {
      throw new IllegalStateException("GPU %d used after close".formatted(info.ordinal()));
    }
    int error = Libcuda.setCurrent(context.address());
    if (error != 0) {
      throw failed(error, "use");
    }
  }

  private static <T> T known(@Nullable T handle, String kind) {
    if (handle == null) {
      throw new IllegalArgumentException(kind + ": got one that is not this driver's or was given back");
    }
    return handle;
  }

  private void check(int error, String operation) {
    if (error != 0) {
      throw failed(error, operation);
    }
  }

  /** As {@link #check}, and waits where every operation is waited for. */
  private void checkQueued(int error, String operation, long stream) {
    check(error, operation);
    if (sync && capturing.get() == 0) {
      check(Libcuda.synchronize(stream), operation);
    }
  }

  private CudaException failed(int error, String operation) {
    String where = where(operation);
    if (!CudaErrors.isSticky(error)) {
      return CudaErrors.failed(error, where);
    }
    return new CudaException(
        CudaErrors.name(error),
        "%s: %s, in a kernel that was launched before; newest first: %s; to see which, run with -Dfovea.cuda.sync=true; "
                .formatted(where, CudaErrors.describe(error), log)
            + "this process cannot use the GPU any more");
  }

  private String where(String operation) {
    return "%s on GPU %d (%s)".formatted(operation, info.ordinal(), info.name());
  }

  @Override
  public void close() {
    enter();
    int error = JCudaDriver.cuCtxSynchronize();
    closed = true;
    JCudaDriver.cuDevicePrimaryCtxRelease(device);
    if (error != 0) {
      throw failed(error, "close");
    }
  }
}
