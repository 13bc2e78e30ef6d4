package dev.fovea.kernels.cuda;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The kernels of one source file on one device; loaded when first needed. Safe to use from several threads. */
final class CudaFamily implements AutoCloseable {
  private final Driver driver;
  private final KernelBinary binary;

  // Guarded by this.
  private final Map<String, CudaKernel> kernels = new HashMap<>();
  private @Nullable Long module;

  CudaFamily(Driver driver, KernelBinary binary) {
    this.driver = driver;
    this.binary = binary;
  }

  /** A kernel by its {@code extern "C"} name. Whether there is one shows when it is first launched. */
  CudaKernel kernel(String name) {
    return kernel(name, 0);
  }

  /** As the other, with up to so much dynamic shared memory. */
  synchronized CudaKernel kernel(String name, int sharedBytes) {
    return kernels.computeIfAbsent(name, kernel -> new CudaKernel(this, kernel, sharedBytes));
  }

  /** Looks a kernel up in the module. */
  synchronized long load(CudaKernel kernel) {
    if (module == null) {
      module = driver.load(binary);
    }
    long function = driver.function(module, kernel.name());
    if (kernel.sharedBytes() > 0) {
      driver.allowShared(function, kernel.sharedBytes());
    }
    return function;
  }

  FunctionInfo info(CudaKernel kernel) {
    return driver.info(kernel.function());
  }

  @Override
  public synchronized void close() {
    if (module != null) {
      driver.unload(module);
      module = null;
    }
    kernels.values().forEach(CudaKernel::forget);
  }
}
