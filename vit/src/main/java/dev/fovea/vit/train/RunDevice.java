package dev.fovea.vit.train;

import dev.fovea.tensor.CpuDevice;
import dev.fovea.tensor.CpuOptions;
import dev.fovea.tensor.CudaDevice;
import dev.fovea.tensor.Device;

/**
 * Where a run computes.
 *
 * @param device where
 * @param own whether the run made it and has to close it
 * @param before its limit of memory when it was lent, which it gets back
 */
record RunDevice(Device device, boolean own, long before) {
  /** A device of the caller's, which stays open. */
  static RunDevice lent(Device device) {
    return new RunDevice(device, false, device.memory().limit());
  }

  /** A GPU of the caller's, of which no more than so many bytes are used until {@link #close}; 0 for any. */
  static RunDevice lent(CudaDevice gpu, long most) {
    RunDevice lent = lent(gpu);
    if (most > 0) {
      gpu.memory().limit(Math.min(most, lent.before));
    }
    return lent;
  }

  /**
   * The device that a configuration names.
   *
   * @throws IllegalArgumentException if it names none
   * @throws dev.fovea.kernels.cuda.CudaException if it names a GPU that cannot be used
   */
  static RunDevice of(TrainConfig.Run run) {
    Device named = Device.named(run.device());
    if (named instanceof CudaDevice gpu) {
      return lent(gpu, run.memory());
    }
    return run.memory() == 0
        ? lent(named)
        : new RunDevice(Device.cpu(CpuOptions.defaults().withMemoryLimit(run.memory())), true, Long.MAX_VALUE);
  }

  /** What it is, in words. */
  String description() {
    return device instanceof CudaDevice gpu
        ? "%s, %s".formatted(gpu.name(), gpu.info().name())
        : device.name();
  }

  /** Closes the device if it is the run's own. */
  void close() {
    if (own && device instanceof CpuDevice cpu) {
      cpu.close();
    } else if (device instanceof CudaDevice gpu) {
      gpu.memory().limit(before);
    }
  }
}
