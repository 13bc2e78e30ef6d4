package dev.fovea.kernels.cuda;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Where the kernels of one set are submitted: a stream of a driver. Holds what launches reuse (the launch itself and
 * scratch memory, for each thread) and the families that were loaded. Any thread may submit.
 */
final class CudaQueue implements AutoCloseable {
  private static final long SMALLEST_SCRATCH = 1 << 20;
  private static final int SMALLEST_COUNTERS = 1 << 12;

  private final Driver driver;
  private final long stream;
  private final DeviceInfo device;
  private final ThreadLocal<Slot> slots = ThreadLocal.withInitial(this::slot);

  // Guarded by this.
  private final Map<String, CudaFamily> families = new HashMap<>();
  private final List<Long> scratch = new ArrayList<>();

  /** What one thread reuses. */
  private static final class Slot {
    final Launch launch = new Launch();
    long scratch;
    long scratchBytes;
    long counters;
    int counterCount;
  }

  CudaQueue(Driver driver, long stream) {
    this.driver = driver;
    this.stream = stream;
    device = driver.info();
  }

  private Slot slot() {
    return new Slot();
  }

  Driver driver() {
    return driver;
  }

  long stream() {
    return stream;
  }

  DeviceInfo device() {
    return device;
  }

  /** The kernels of one source file; loaded when the first of them is launched. */
  synchronized CudaFamily family(String name) {
    return families.computeIfAbsent(name, family -> new CudaFamily(driver, new KernelBinary(family)));
  }

  /** The calling thread's launch, reset. */
  Launch launch() {
    return slots.get().launch.reset();
  }

  /** Submits a kernel with the launch of {@link #launch}. */
  void run(CudaKernel kernel, Launch launch) {
    driver.launch(kernel.function(), launch, stream);
  }

  /**
   * Device memory of undefined content for what the calling thread submits until it asks again. 256-byte aligned.
   * Memory that was too small stays until the queue is closed: a recorded graph may still use it.
   */
  long scratch(long bytes) {
    Slot slot = slots.get();
    if (slot.scratchBytes < bytes) {
      grow(slot, Math.max(bytes, Math.max(SMALLEST_SCRATCH, 2 * slot.scratchBytes)));
    }
    return slot.scratch;
  }

  private void grow(Slot slot, long bytes) {
    slot.scratch = allocate(bytes);
    slot.scratchBytes = bytes;
  }

  /**
   * Counters of 32 bits on the device that are zero when a kernel begins, as every kernel leaves them
   * ({@code arrive.cuh}). For what the calling thread submits.
   */
  long counters(int count) {
    Slot slot = slots.get();
    if (slot.counterCount < count) {
      int more = Math.max(SMALLEST_COUNTERS, Integer.highestOneBit(2 * count - 1));
      slot.counters = allocate((long) more * Integer.BYTES);
      slot.counterCount = more;
      driver.fill(slot.counters, (byte) 0, (long) more * Integer.BYTES, stream);
    }
    return slot.counters;
  }

  private synchronized long allocate(long bytes) {
    long address = driver.allocate(bytes, stream);
    if (address == 0) {
      driver.trim();
      address = driver.allocate(bytes, stream);
    }
    if (address == 0) {
      throw new CudaException(
          "CUDA_ERROR_OUT_OF_MEMORY",
          "out of memory on GPU %d: %,d bytes of scratch memory for a kernel; a smaller batch needs less"
              .formatted(device.ordinal(), bytes));
    }
    scratch.add(address);
    return address;
  }

  /** Gives scratch memory back and unloads the families, once everything submitted is done. */
  @Override
  public synchronized void close() {
    driver.synchronize(stream);
    scratch.forEach(address -> driver.free(address, stream));
    scratch.clear();
    families.values().forEach(CudaFamily::close);
    families.clear();
  }
}
