package dev.fovea.kernels.cuda;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/** What every call of a driver has in common: the context that it needs, and what becomes of errors. */
final class JcudaCalls {
  private final boolean sync = Boolean.getBoolean("fovea.cuda.sync");
  private final DeviceInfo info;
  private final JcudaHandles.Context context;
  private final LaunchLog log = new LaunchLog();
  private final Set<Long> recorded = ConcurrentHashMap.newKeySet();
  private volatile boolean closed;

  JcudaCalls(DeviceInfo info, JcudaHandles.Context context) {
    this.info = info;
    this.context = context;
  }

  LaunchLog log() {
    return log;
  }

  /** The streams whose work becomes a graph. */
  Set<Long> recorded() {
    return recorded;
  }

  /** Fails for memory of a recorded stream: the driver would make it the graph's own, of no use anywhere else. */
  void forbidRecorded(long stream, String operation) {
    if (!recorded.isEmpty() && recorded.contains(stream)) {
      throw notRecorded(operation);
    }
  }

  /** Fails for what waits for all streams: the driver refuses that, and what is recorded is lost. */
  void forbidRecording(String operation) {
    if (!recorded.isEmpty()) {
      throw notRecorded(operation);
    }
  }

  private CudaException notRecorded(String operation) {
    return new CudaException(
        "CUDA_ERROR_STREAM_CAPTURE_UNSUPPORTED", where(operation) + ": not while a graph is recorded");
  }

  /** Whether every operation is waited for. */
  boolean waits() {
    return sync && recorded.isEmpty();
  }

  void close() {
    closed = true;
  }

  /** Makes the device's context current on the calling thread. */
  void enter() {
    if (closed) {
      throw new IllegalStateException("GPU %d used after close".formatted(info.ordinal()));
    }
    int error = Libcuda.setCurrent(context.address());
    if (error != 0) {
      throw failed(error, "use");
    }
  }

  /** Words about kernels that this driver is too old for; none otherwise. Machine code asks for its major version. */
  String ofNewerToolkit() {
    KernelBuild build = KernelBuild.find();
    return build == null || build.toolkitMajor() <= info.driverVersion() / 1000
        ? ""
        : " (made by CUDA %s, the driver serves %s)".formatted(build.toolkit(), info.cudaVersion());
  }

  void check(int error, String operation) {
    if (error != 0) {
      throw failed(error, operation);
    }
  }

  /** As {@link #check}, and waits where every operation is waited for. */
  void checkQueued(int error, String operation, long stream) {
    check(error, operation);
    if (waits()) {
      check(Libcuda.synchronize(stream), operation);
    }
  }

  CudaException failed(int error, String operation) {
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

  String where(String operation) {
    return "%s on GPU %d (%s)".formatted(operation, info.ordinal(), info.name());
  }
}
