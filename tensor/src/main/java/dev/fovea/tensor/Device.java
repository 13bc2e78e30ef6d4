package dev.fovea.tensor;

import dev.fovea.kernels.KernelSet;

/**
 * Something that computes, with memory of its own. Tensors live on one device and their operations run there; nothing
 * is copied between devices unless asked for.
 */
public sealed interface Device permits CpuDevice, CudaDevice {
  /** All processors of this machine: one device for the whole process, never closed. */
  static Device cpu() {
    return CpuDevice.Default.DEVICE;
  }

  /**
   * A device of its own on {@code threads} threads, the caller's counted in. To be closed.
   *
   * @throws IllegalArgumentException if {@code threads} is below 1
   */
  static CpuDevice cpu(int threads) {
    return cpu(CpuOptions.defaults().withThreads(threads));
  }

  /** A device of its own with a memory limit and the like. To be closed. */
  static CpuDevice cpu(CpuOptions options) {
    return new CpuDevice(options);
  }

  /** A short name that messages use: for example {@code "cpu"}. */
  String name();

  /** The device's kernels; made when first asked for. */
  KernelSet kernels();

  /**
   * Memory that the caller owns and closes. Its content is undefined. Tensors' memory comes from here too, but belongs
   * to their scopes.
   *
   * @param label what it is for, as {@link MemoryStats#byLabel} counts it
   * @throws IllegalArgumentException if {@code bytes} is negative
   * @throws OutOfDeviceMemoryException if there is not that much
   */
  Memory allocate(long bytes, String label);

  /** What is in use now and was at most; live counters. */
  MemoryStats memory();
}
