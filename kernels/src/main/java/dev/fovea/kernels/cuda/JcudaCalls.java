package dev.fovea.kernels.cuda;

import java.util.concurrent.atomic.AtomicInteger;

/** What every call of a driver has in common: the context that it needs, and what becomes of errors. */
final class JcudaCalls {
  private final boolean sync = Boolean.getBoolean("fovea.cuda.sync");
  private final DeviceInfo info;
  private final JcudaHandles.Context context;
  private final LaunchLog log = new LaunchLog();
  private final AtomicInteger capturing = new AtomicInteger();
  private volatile boolean closed;

  JcudaCalls(DeviceInfo info, JcudaHandles.Context context) {
    this.info = info;
    this.context = context;
  }

  LaunchLog log() {
    return log;
  }

  /** How many streams record a graph. */
  AtomicInteger capturing() {
    return capturing;
  }

  /** Whether every operation is waited for. */
  boolean waits() {
    return sync && capturing.get() == 0;
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
