package dev.fovea.tensor;

import dev.fovea.kernels.cuda.CudaException;
import dev.fovea.kernels.cuda.JcudaDriver;
import java.lang.System.Logger.Level;

/** Devices by name, and the choice of one where the user leaves it to us. */
final class DeviceChoice {
  /** Chosen when first asked for: whoever names a device has no use for another. */
  static final class Auto {
    static final Device DEVICE = choose();

    private Auto() {}
  }

  private static final String CUDA = "cuda";

  private DeviceChoice() {}

  static Device named(String name) {
    if (name.equals("cpu")) {
      return Device.cpu();
    }
    if (name.equals("auto")) {
      return Device.auto();
    }
    if (name.equals(CUDA)) {
      return Device.cuda(0);
    }
    if (name.matches(CUDA + ":\\d{1,3}")) {
      return Device.cuda(Integer.parseInt(name.substring(CUDA.length() + 1)));
    }
    throw Check.bad("device", "'" + name + "'", "cpu, cuda, cuda:0, cuda:1, ... or auto");
  }

  private static Device choose() {
    System.Logger log = System.getLogger("dev.fovea.tensor");
    try {
      int count = JcudaDriver.devices().size();
      CudaException first = null;
      for (int ordinal = 0; ordinal < count; ordinal++) {
        try {
          CudaDevice device = Device.cuda(ordinal);
          log.log(
              Level.DEBUG,
              Check.text("computing on %s, %s", device.name(), device.info().name()));
          return device;
        } catch (CudaException e) {
          first = first == null ? e : first;
        }
      }
      if (first != null) {
        throw first;
      }
    } catch (CudaException e) {
      log.log(Level.DEBUG, Check.text("computing on the CPU: %s", e.getMessage()));
    }
    return Device.cpu();
  }
}
