package dev.fovea.tensor;

import dev.fovea.kernels.KernelSet;
import dev.fovea.kernels.cuda.CudaKernels;
import dev.fovea.kernels.cuda.DeviceInfo;
import dev.fovea.kernels.cuda.Driver;
import org.jspecify.annotations.Nullable;

/**
 * A GPU. Kernels and copies are queued on one stream and run in its order; only reading values on the host waits for
 * them. Safe to use from several threads.
 *
 * <p>Memory that tensors give back is cached for the next tensors of about that size, as on {@link CpuDevice}. Where
 * the GPU has none left, what is cached goes back to its driver first.
 */
public final class CudaDevice implements Device, AutoCloseable {
  private final String name;
  private final Driver driver;
  private final long stream;
  private final CudaMemory raw;
  private final MemoryPool pool;
  private final MemoryStats memory;
  private volatile @Nullable CudaKernels kernels;
  private volatile boolean closed;

  private CudaDevice(Driver driver, String name) {
    this.driver = driver;
    this.name = name;
    stream = driver.createStream();
    raw = new CudaMemory(driver, stream);
    pool = new MemoryPool(this, raw, Long.MAX_VALUE, Boolean.getBoolean("fovea.poison"));
    memory = new MemoryStats(pool);
  }

  /** A device over a driver of the caller's, which is closed with it. To be closed. */
  public static CudaDevice over(Driver driver) {
    return new CudaDevice(driver, "cuda:" + driver.info().ordinal());
  }

  @Override
  public String name() {
    return name;
  }

  /** What the GPU is. */
  public DeviceInfo info() {
    return driver.info();
  }

  @Override
  public KernelSet kernels() {
    CudaKernels made = kernels;
    return made != null ? made : makeKernels();
  }

  private synchronized KernelSet makeKernels() {
    checkOpen();
    CudaKernels made = kernels;
    if (made == null) {
      made = CudaKernels.over(driver, stream);
      kernels = made;
    }
    return made;
  }

  @Override
  public Memory allocate(long bytes, String label) {
    checkOpen();
    return pool.allocate(bytes, label, false, Origin.sampled());
  }

  @Override
  public MemoryStats memory() {
    return memory;
  }

  MemoryPool pool() {
    checkOpen();
    return pool;
  }

  /** Waits until everything that was queued is done. What has failed in the meantime is thrown here. */
  public void synchronize() {
    checkOpen();
    driver.synchronize(stream);
  }

  private void checkOpen() {
    if (closed) {
      throw new IllegalStateException("device " + name + " used after close");
    }
  }

  /**
   * Waits for what is queued, gives cached memory back and closes the driver.
   *
   * @throws IllegalStateException if memory is still in use (the device then stays open), or if it was closed before
   */
  @Override
  public synchronized void close() {
    checkOpen();
    if (memory.current() != 0) {
      throw new IllegalStateException("device " + name + " closed while in use: " + memory);
    }
    driver.synchronize(stream);
    closed = true;
    CudaKernels made = kernels;
    if (made != null) {
      made.close();
      kernels = null;
    }
    memory.trim();
    raw.close();
    driver.destroyStream(stream);
    driver.close();
  }

  @Override
  public String toString() {
    return name;
  }
}
