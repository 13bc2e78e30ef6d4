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

  /**
   * A GPU: one device for the whole process, never closed.
   *
   * @param ordinal its number on this machine, from 0
   * @throws dev.fovea.kernels.cuda.CudaException if it cannot be used; the message says why and what to do
   */
  static CudaDevice cuda(int ordinal) {
    return CudaDevice.Shared.open(ordinal);
  }

  /**
   * The first GPU that can be used, or else the CPU. Chosen once for the whole process; which it was, and why, is
   * logged then, at level DEBUG.
   */
  static Device auto() {
    return DeviceChoice.Auto.DEVICE;
  }

  /**
   * A device by its name: {@code cpu}, {@code cuda} or {@code cuda:0}, {@code cuda:1} and so on, or {@code auto}.
   *
   * @throws IllegalArgumentException for any other name
   * @throws dev.fovea.kernels.cuda.CudaException if a GPU was named that cannot be used
   */
  static Device named(String name) {
    return DeviceChoice.named(name);
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
