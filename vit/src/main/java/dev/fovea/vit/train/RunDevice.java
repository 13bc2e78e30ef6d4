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
 */
record RunDevice(Device device, boolean own) {
  /** A device of the caller's, which stays open. */
  static RunDevice lent(Device device) {
    return new RunDevice(device, false);
  }

  /**
   * The device that a configuration names.
   *
   * @throws IllegalArgumentException if it names none
   * @throws dev.fovea.kernels.cuda.CudaException if it names a GPU that cannot be used
   */
  static RunDevice of(TrainConfig.Run run) {
    Device named = Device.named(run.device());
    return named == Device.cpu() && run.memory() > 0
        ? new RunDevice(Device.cpu(CpuOptions.defaults().withMemoryLimit(run.memory())), true)
        : lent(named);
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
    }
  }
}
