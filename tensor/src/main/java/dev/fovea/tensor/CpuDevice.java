package dev.fovea.tensor;

import dev.fovea.kernels.KernelSet;
import dev.fovea.kernels.cpu.CpuKernels;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * The processors of this machine and its main memory. Safe to use from several threads.
 *
 * <p>Memory that tensors give back is cached for the next tensors of about that size; {@link MemoryStats} tells how
 * much, {@link MemoryStats#trim} gives it back to the system. The cache never makes the process hold more than its
 * tensors needed at their peak.
 */
public final class CpuDevice implements Device, AutoCloseable {
  /** The default device, made when first asked for. */
  static final class Default {
    static final CpuDevice DEVICE = new CpuDevice(CpuOptions.defaults(), "cpu");

    private Default() {}
  }

  private static final AtomicInteger NUMBERS = new AtomicInteger();

  private final String name;
  private final CpuOptions options;
  private final MemoryPool pool;
  private final MemoryStats memory;
  private volatile @Nullable KernelSet kernels;
  private volatile boolean closed;

  CpuDevice(CpuOptions options) {
    this(options, "cpu#" + NUMBERS.incrementAndGet());
  }

  /** Main memory with somebody else's kernels: for checks against a reference. */
  static CpuDevice with(KernelSet kernels, String name) {
    var device = new CpuDevice(CpuOptions.defaults(), name);
    device.kernels = kernels;
    return device;
  }

  private CpuDevice(CpuOptions options, String name) {
    this.name = name;
    this.options = options;
    this.pool = new MemoryPool(this, new HostMemory(), options.memoryLimit(), options.poison());
    this.memory = new MemoryStats(pool);
  }

  @Override
  public String name() {
    return name;
  }

  @Override
  public KernelSet kernels() {
    KernelSet made = kernels;
    return made != null ? made : makeKernels();
  }

  private synchronized KernelSet makeKernels() {
    checkOpen();
    KernelSet made = kernels;
    if (made == null) {
      made = CpuKernels.create(options.threads());
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

  private void checkOpen() {
    if (closed) {
      throw new IllegalStateException("device " + name + " used after close");
    }
  }

  /**
   * Ends the threads and gives cached memory back.
   *
   * @throws IllegalStateException if memory is still in use (the device then stays open), if it was closed before, or
   *     if it is the default device
   */
  @Override
  public synchronized void close() {
    checkOpen();
    if (this == Default.DEVICE) {
      throw new IllegalStateException("device cpu is the default of the whole process and cannot be closed");
    }
    if (memory.current() != 0) {
      throw new IllegalStateException("device " + name + " closed while in use: " + memory);
    }
    closed = true;
    memory.trim();
    if (kernels instanceof CpuKernels made) {
      made.close();
    }
    kernels = null;
  }

  @Override
  public String toString() {
    return name;
  }
}
