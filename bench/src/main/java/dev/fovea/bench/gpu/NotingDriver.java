package dev.fovea.bench.gpu;

import dev.fovea.kernels.cuda.DeviceInfo;
import dev.fovea.kernels.cuda.Driver;
import dev.fovea.kernels.cuda.FunctionInfo;
import dev.fovea.kernels.cuda.KernelBinary;
import dev.fovea.kernels.cuda.Launch;
import dev.fovea.kernels.cuda.MemoryInfo;
import dev.fovea.kernels.cuda.TensorMap;
import java.lang.foreign.MemorySegment;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Consumer;

/**
 * A driver that notes the names of the kernels that are launched, as {@code family/kernel}. Closing it leaves the
 * driver behind it open. For one thread at a time.
 */
final class NotingDriver implements Driver {
  private final Driver gpu;
  private final Map<Long, String> families = new ConcurrentHashMap<>();
  private final Map<Long, String> names = new ConcurrentHashMap<>();
  private final Consumer<String> first;
  private Set<String> launched = new TreeSet<>();

  /** @param first hears of a kernel before it is launched for the first time since {@link #launched} was asked */
  NotingDriver(Driver gpu, Consumer<String> first) {
    this.gpu = gpu;
    this.first = first;
  }

  /** What was launched since this was asked last. */
  Set<String> launched() {
    Set<String> all = launched;
    launched = new TreeSet<>();
    return all;
  }

  @Override
  public long load(KernelBinary binary) {
    long module = gpu.load(binary);
    families.put(module, binary.family());
    return module;
  }

  @Override
  public long function(long module, String name) {
    long function = gpu.function(module, name);
    names.put(function, families.get(module) + "/" + name);
    return function;
  }

  @Override
  public void launch(long function, Launch launch, long stream) {
    String name = names.getOrDefault(function, "unknown");
    if (launched.add(name)) {
      first.accept(name);
    }
    gpu.launch(function, launch, stream);
  }

  @Override
  public DeviceInfo info() {
    return gpu.info();
  }

  @Override
  public MemoryInfo memory() {
    return gpu.memory();
  }

  @Override
  public long allocate(long bytes, long stream) {
    return gpu.allocate(bytes, stream);
  }

  @Override
  public void free(long address, long stream) {
    gpu.free(address, stream);
  }

  @Override
  public void trim() {
    gpu.trim();
  }

  @Override
  public MemorySegment allocatePinned(long bytes) {
    return gpu.allocatePinned(bytes);
  }

  @Override
  public void freePinned(MemorySegment memory) {
    gpu.freePinned(memory);
  }

  @Override
  public void copyToDevice(long to, MemorySegment from, long stream) {
    gpu.copyToDevice(to, from, stream);
  }

  @Override
  public void copyToHost(MemorySegment to, long from, long stream) {
    gpu.copyToHost(to, from, stream);
  }

  @Override
  public void copy(long to, long from, long bytes, long stream) {
    gpu.copy(to, from, bytes, stream);
  }

  @Override
  public void fill(long address, byte value, long bytes, long stream) {
    gpu.fill(address, value, bytes, stream);
  }

  @Override
  public long createStream() {
    return gpu.createStream();
  }

  @Override
  public void destroyStream(long stream) {
    gpu.destroyStream(stream);
  }

  @Override
  public void synchronize(long stream) {
    gpu.synchronize(stream);
  }

  @Override
  public long createEvent() {
    return gpu.createEvent();
  }

  @Override
  public void destroyEvent(long event) {
    gpu.destroyEvent(event);
  }

  @Override
  public void record(long event, long stream) {
    gpu.record(event, stream);
  }

  @Override
  public void await(long stream, long event) {
    gpu.await(stream, event);
  }

  @Override
  public void synchronizeEvent(long event) {
    gpu.synchronizeEvent(event);
  }

  @Override
  public float millis(long from, long to) {
    return gpu.millis(from, to);
  }

  @Override
  public void unload(long module) {
    gpu.unload(module);
  }

  @Override
  public FunctionInfo info(long function) {
    return gpu.info(function);
  }

  @Override
  public void allowShared(long function, int bytes) {
    gpu.allowShared(function, bytes);
  }

  @Override
  public void encodeTensorMap(TensorMap map, MemorySegment to) {
    gpu.encodeTensorMap(map, to);
  }

  @Override
  public void beginCapture(long stream) {
    gpu.beginCapture(stream);
  }

  @Override
  public long endCapture(long stream, long graph) {
    return gpu.endCapture(stream, graph);
  }

  @Override
  public void launchGraph(long graph, long stream) {
    gpu.launchGraph(graph, stream);
  }

  @Override
  public void destroyGraph(long graph) {
    gpu.destroyGraph(graph);
  }

  @Override
  public void close() {
    // The driver stays its owner's.
  }
}
