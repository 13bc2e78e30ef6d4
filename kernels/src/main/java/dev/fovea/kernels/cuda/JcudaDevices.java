package dev.fovea.kernels.cuda;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import jcuda.driver.CUdevice;
import jcuda.driver.CUdevice_attribute;
import jcuda.driver.JCudaDriver;

/** The GPUs of this machine, and why there is none. */
final class JcudaDevices {
  /** The oldest driver that has every function. */
  private static final int OLDEST_DRIVER = 12000;

  private static final int NO_DEVICE = 100;
  private static final int NAME_BYTES = 256;

  private JcudaDevices() {}

  /** Makes the driver ready, or says in one sentence why it cannot be used. */
  static void require() {
    String system = System.getProperty("os.name") + " on " + System.getProperty("os.arch");
    if (!system.equals("Linux on amd64")) {
      throw new CudaException("NO_DRIVER", "GPUs are served on Linux on x86-64 only, this is " + system);
    }
    if (!Libcuda.isFound()) {
      throw new CudaException(
          "NO_DRIVER",
          "no NVIDIA driver: %s was not found; install NVIDIA's driver, or start the container with its GPUs"
              .formatted(Libcuda.NAME));
    }
    JcudaNatives.load();
    int[] version = new int[1];
    check(JCudaDriver.cuDriverGetVersion(version), "version of the driver");
    if (version[0] < OLDEST_DRIVER) {
      throw new CudaException(
          "OLD_DRIVER",
          "the NVIDIA driver is too old: it serves CUDA %d.%d, 12.0 or later is needed; update it to 525 or later"
              .formatted(version[0] / 1000, version[0] % 1000 / 10));
    }
    int error = JCudaDriver.cuInit(0);
    if (error == NO_DEVICE || error == 0 && count() == 0) {
      String visible = System.getenv("CUDA_VISIBLE_DEVICES");
      throw new CudaException(
          "CUDA_ERROR_NO_DEVICE",
          "no NVIDIA GPU: the driver is there but finds none"
              + (visible == null ? "" : "; CUDA_VISIBLE_DEVICES is '" + visible + "'"));
    }
    check(error, "start of the NVIDIA driver");
  }

  static int count() {
    int[] count = new int[1];
    check(JCudaDriver.cuDeviceGetCount(count), "number of GPUs");
    return count[0];
  }

  /** All of them, also those that are not supported. */
  static List<DeviceInfo> all() {
    require();
    List<DeviceInfo> devices = new ArrayList<>();
    for (int ordinal = 0; ordinal < count(); ordinal++) {
      devices.add(info(ordinal));
    }
    return devices;
  }

  static CUdevice handle(int ordinal) {
    CUdevice device = new CUdevice();
    check(JCudaDriver.cuDeviceGet(device, ordinal), "GPU " + ordinal);
    return device;
  }

  static DeviceInfo info(int ordinal) {
    CUdevice device = handle(ordinal);
    byte[] name = new byte[NAME_BYTES];
    check(JCudaDriver.cuDeviceGetName(name, NAME_BYTES, device), "name of GPU " + ordinal);
    long[] bytes = new long[1];
    check(JCudaDriver.cuDeviceTotalMem(bytes, device), "memory of GPU " + ordinal);
    int[] version = new int[1];
    check(JCudaDriver.cuDriverGetVersion(version), "version of the driver");
    return new DeviceInfo(
        ordinal,
        text(name),
        attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR),
        attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR),
        attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT),
        bytes[0],
        attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_BLOCK_OPTIN),
        attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MAX_SHARED_MEMORY_PER_MULTIPROCESSOR),
        attribute(device, CUdevice_attribute.CU_DEVICE_ATTRIBUTE_L2_CACHE_SIZE),
        version[0]);
  }

  private static String text(byte[] name) {
    int length = 0;
    while (length < name.length && name[length] != 0) {
      length++;
    }
    return new String(name, 0, length, StandardCharsets.UTF_8);
  }

  static int attribute(CUdevice device, int attribute) {
    int[] value = new int[1];
    check(JCudaDriver.cuDeviceGetAttribute(value, attribute, device), "attribute " + attribute + " of a GPU");
    return value[0];
  }

  private static void check(int error, String operation) {
    if (error != 0) {
      throw CudaErrors.failed(error, operation);
    }
  }
}
