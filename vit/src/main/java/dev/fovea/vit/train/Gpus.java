package dev.fovea.vit.train;

import dev.fovea.kernels.cuda.CudaException;
import dev.fovea.kernels.cuda.JcudaDriver;
import java.util.Optional;

/**
 * Training runs stay on the CPU. Steps of training run on GPU kernels, but how runs plan their memory there, and
 * checkpoints from there, are not checked yet.
 */
final class Gpus {
  private Gpus() {}

  /** This machine's first GPU, in words. */
  static Optional<String> first() {
    try {
      return JcudaDriver.devices().stream().findFirst().map(gpu -> "cuda:%d (%s)".formatted(gpu.ordinal(), gpu.name()));
    } catch (CudaException e) {
      return Optional.empty();
    }
  }

  /** Refuses what is no device that trains. */
  static void check(String device) {
    if (device.matches("cuda(:\\d{1,3})?")) {
      throw new UnsupportedOperationException(
          "device: got '%s', which does not run whole trainings yet, expected auto or cpu".formatted(device));
    }
    if (!device.equals("auto") && !device.equals("cpu")) {
      throw new IllegalArgumentException("device: got '%s', expected auto or cpu".formatted(device));
    }
  }
}
