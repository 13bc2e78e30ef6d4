package dev.fovea.kernels.cuda;

import java.lang.foreign.MemorySegment;

/**
 * One GPU, as far as kernels need it: memory, streams, events, modules, launches and graphs. Addresses, streams,
 * events, modules, functions and graphs are opaque numbers; stream 0 is the device's default stream.
 *
 * <p>Work is queued on a stream and runs in its order; a method returns when it is queued unless it says otherwise. Any
 * thread may call any method, several at once; what threads submit to one stream is theirs to order.
 *
 * <p>Every method but {@link #allocate} throws {@link CudaException} when the device refuses, or when a kernel that was
 * launched before has failed in the meantime.
 */
public interface Driver extends AutoCloseable {
  /** What the GPU is. */
  DeviceInfo info();

  /** What is free on it now. */
  MemoryInfo memory();

  /**
   * Memory that work queued on {@code stream} from now on may use, 256-byte aligned and of undefined content.
   *
   * @param bytes at least 1
   * @return its address; 0 if there is not enough
   * @throws CudaException for any other reason
   */
  long allocate(long bytes, long stream);

  /** Gives memory back once what is queued on {@code stream} is done. */
  void free(long address, long stream);

  /** Waits for all streams, and gives back to the system what was freed and is kept for the next allocation. */
  void trim();

  /** Host memory that the GPU copies from and to without detour; freed by {@link #freePinned} only. */
  MemorySegment allocatePinned(long bytes);

  /** Gives back what {@link #allocatePinned} returned. */
  void freePinned(MemorySegment memory);

  /**
   * Copies to the device. From pinned memory it is queued, and the source must stay as it is until it has run; other
   * memory may be changed as soon as the call returns.
   *
   * @param from native memory
   */
  void copyToDevice(long to, MemorySegment from, long stream);

  /**
   * Copies to the host. To pinned memory it is queued; into other memory it has been done when the call returns.
   *
   * @param to native memory
   */
  void copyToHost(MemorySegment to, long from, long stream);

  /** Copies within the device. */
  void copy(long to, long from, long bytes, long stream);

  /** Sets every byte. */
  void fill(long address, byte value, long bytes, long stream);

  /** A new stream, independent of all others. */
  long createStream();

  /** Ends a stream once its work is done. */
  void destroyStream(long stream);

  /** Waits until all work of the stream is done. */
  void synchronize(long stream);

  /** A new event that takes time. */
  long createEvent();

  /** Gives an event back. */
  void destroyEvent(long event);

  /** Has the event happen once what is queued on the stream now is done. */
  void record(long event, long stream);

  /** Has what is queued on the stream from now on wait for the event. */
  void await(long stream, long event);

  /** Waits, on the calling thread, until the event has happened. */
  void synchronizeEvent(long event);

  /** Milliseconds between two events that have happened. */
  float millis(long from, long to);

  /** Loads a family of kernels: its fat binary or its PTX, whichever this driver runs. */
  long load(KernelBinary binary);

  /** Unloads a family. */
  void unload(long module);

  /** A kernel of a loaded family. */
  long function(long module, String name);

  /** What a kernel needs. */
  FunctionInfo info(long function);

  /** Lets a kernel use so much dynamic shared memory; needed above 48 KB. */
  void allowShared(long function, int bytes);

  /**
   * Writes a tensor map as kernels take it. No work is queued; the map holds until the tensor's memory is freed.
   *
   * @param to {@value TensorMap#BYTES} bytes of native memory, at a multiple of {@value TensorMap#ALIGNMENT}
   * @throws CudaException if the device is older than compute capability 9.0
   */
  void encodeTensorMap(TensorMap map, MemorySegment to);

  /** Queues a kernel. What {@code launch} says is read before this returns. */
  void launch(long function, Launch launch, long stream);

  /**
   * From now on what is queued on the stream is recorded instead of run. On this stream memory is neither allocated nor
   * freed then, and nobody waits for it, nor for all streams ({@link #trim}): such a call fails, and the recording may
   * be lost.
   */
  void beginCapture(long stream);

  /**
   * Ends the recording.
   *
   * @param graph a graph to change into what was recorded, if only arguments and grids differ; 0 for none
   * @return {@code graph} if it could be changed, otherwise a new one
   */
  long endCapture(long stream, long graph);

  /** Queues all that a graph recorded. */
  void launchGraph(long graph, long stream);

  /** Gives a graph back. */
  void destroyGraph(long graph);

  /** Waits for the work of all streams and lets the device go. */
  @Override
  void close();
}
