package dev.fovea.kernels.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** What can be wrong with a driver or a GPU, and what is said about it. */
class CudaErrorStubTest {
  private static final String SYNC = "fovea.cuda.sync";
  private static final KernelBinary BINARY = new KernelBinary("stubbed");

  private StubLibrary stub;

  @BeforeEach
  void fresh() throws Exception {
    stub = Stub.fresh();
  }

  @AfterEach
  void notInStep() {
    System.clearProperty(SYNC);
  }

  private static void fails(String code, String message, Executable call) {
    CudaException e = assertThrows(CudaException.class, call);
    assertEquals(message, e.getMessage());
    assertEquals(code, e.code());
  }

  @Test
  void anOldDriver() {
    stub.set("version", 11040);
    fails(
        "OLD_DRIVER",
        "the NVIDIA driver is too old: it serves CUDA 11.4, 12.0 or later is needed; update it to 525 or later",
        () -> JcudaDriver.open(0));
  }

  @Test
  void noDevice() {
    stub.set("devices", 0);
    fails("CUDA_ERROR_NO_DEVICE", "no NVIDIA GPU: the driver is there but finds none", () -> JcudaDriver.open(0));
    fails("CUDA_ERROR_NO_DEVICE", "no NVIDIA GPU: the driver is there but finds none", JcudaDriver::devices);
  }

  @Test
  void aDriverThatDoesNotStart() {
    stub.fail("cuInit", 803, 0);
    fails(
        "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH",
        "start of the NVIDIA driver: CUDA_ERROR_SYSTEM_DRIVER_MISMATCH, as the stub was told; "
            + "the driver was updated while it was running: restart the machine",
        () -> JcudaDriver.open(0));
  }

  @Test
  void aDeviceThatIsNotThere() {
    fails("CUDA_ERROR_INVALID_DEVICE", "no GPU 2: this machine has 2, numbered from 0", () -> JcudaDriver.open(2));
  }

  @Test
  void anOldDevice() {
    stub.set("major", 7);
    stub.set("minor", 5);
    fails(
        "UNSUPPORTED_GPU",
        "GPU 1 (Stub 1) has compute capability 7.5, 8.0 or later is needed (Ampere, 2020)",
        () -> JcudaDriver.open(1));
  }

  @Test
  void aDeviceThatSomebodyElseHasAlone() {
    stub.fail("cuDevicePrimaryCtxRetain", 46, 0);
    fails(
        "CUDA_ERROR_DEVICE_UNAVAILABLE",
        "use of GPU 0 (Stub 0): CUDA_ERROR_DEVICE_UNAVAILABLE, as the stub was told; "
            + "another process uses it alone: see nvidia-smi, compute mode",
        () -> JcudaDriver.open(0));
  }

  @Test
  void aDeviceWithoutFreeMemory() {
    stub.set("total", 50 << 20);
    fails(
        "CUDA_ERROR_OUT_OF_MEMORY",
        "GPU 0 (Stub 0) has 52,428,800 of 52,428,800 bytes of memory free, too few to work with; "
            + "other processes use it: see nvidia-smi",
        () -> JcudaDriver.open(0));
    assertEquals(1, stub.log("release").size());
  }

  @Test
  void aContextThatCannotBeMade() {
    stub.fail("cuDevicePrimaryCtxRetain", 2, 0);
    fails(
        "CUDA_ERROR_OUT_OF_MEMORY",
        "use of GPU 0 (Stub 0): CUDA_ERROR_OUT_OF_MEMORY, as the stub was told; "
            + "other processes may use the GPU too: see nvidia-smi",
        () -> JcudaDriver.open(0));
  }

  @Test
  void kernelsThatWereNotBuilt() {
    try (Driver driver = JcudaDriver.open(0)) {
      fails(
          "NO_KERNELS",
          "absent kernels were not built: nvcc was not found when this Fovea was built",
          () -> driver.load(new KernelBinary("absent")));
    }
  }

  @Test
  void kernelsOfANewerToolkit() {
    stub.fail("cuModuleLoadDataEx", 222, 0);
    try (Driver driver = JcudaDriver.open(0)) {
      fails(
          "CUDA_ERROR_UNSUPPORTED_PTX_VERSION",
          "load of stubbed kernels on GPU 0 (Stub 0): CUDA_ERROR_UNSUPPORTED_PTX_VERSION, as the stub was told; "
              + "the fat binaries need a newer driver: update it, or build with the toolkit of its CUDA version",
          () -> driver.load(BINARY));
    }
  }

  @Test
  void kernelsOfAToolkitThatTheDriverIsTooOldFor() {
    KernelBuild build = KernelBuild.find();
    assumeTrue(build != null && build.toolkitMajor() > 12, "these kernels were not made by CUDA 13 or later");
    stub.set("version", 12040);
    stub.fail("cuModuleLoadDataEx", 200, 0);
    try (Driver driver = JcudaDriver.open(0)) {
      CudaException e = assertThrows(CudaException.class, () -> driver.load(BINARY));
      String beginning = "load of stubbed kernels (made by CUDA %s, the driver serves 12.4) on GPU 0";
      assertTrue(e.getMessage().startsWith(beginning.formatted(build.toolkit())), e.getMessage());
    }
  }

  @Test
  void aKernelThatIsNotThere() {
    try (Driver driver = JcudaDriver.open(0)) {
      long module = driver.load(BINARY);
      fails(
          "CUDA_ERROR_NOT_FOUND",
          "look-up of kernel missing on GPU 0 (Stub 0): CUDA_ERROR_NOT_FOUND, as the stub was told",
          () -> driver.function(module, "missing"));
    }
  }

  @Test
  void aLaunchThatDoesNotFit() {
    try (Driver driver = JcudaDriver.open(0)) {
      long norm = driver.function(driver.load(BINARY), "norm");
      stub.fail("cuLaunchKernelEx", 701, 0);
      fails(
          "CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES",
          "launch of norm (grid 2x1x1, block 1024x1x1, 5 bytes of shared memory, 8 bytes of arguments) "
              + "on GPU 0 (Stub 0): CUDA_ERROR_LAUNCH_OUT_OF_RESOURCES, as the stub was told; "
              + "a block needs more registers or shared memory than a multiprocessor has",
          () -> driver.launch(
              norm, new Launch().grid(2, 1, 1).block(1024, 1, 1).shared(5).pointer(0), 0));
      driver.launch(norm, new Launch(), 0);
    }
  }

  @Test
  void aLostDeviceNamesTheLastLaunches() {
    Driver driver = JcudaDriver.open(0);
    long module = driver.load(BINARY);
    long norm = driver.function(module, "norm");
    long gemm = driver.function(module, "gemm");
    stub.set("lost_by", 2);
    driver.launch(gemm, new Launch(), 0);
    driver.launch(norm, new Launch(), 0);
    String message = "%s on GPU 0 (Stub 0): CUDA_ERROR_ILLEGAL_ADDRESS, an illegal memory access was encountered, "
        + "in a kernel that was launched before; newest first: %s; to see which, run with "
        + "-Dfovea.cuda.sync=true; this process cannot use the GPU any more";
    fails(
        "CUDA_ERROR_ILLEGAL_ADDRESS",
        message.formatted("wait for a stream", "norm, gemm"),
        () -> driver.synchronize(0));
    fails("CUDA_ERROR_ILLEGAL_ADDRESS", message.formatted("close", "norm, gemm"), driver::close);
  }

  @Test
  void aKernelThatIsWaitedForFailsItself() {
    System.setProperty(SYNC, "true");
    Driver driver = JcudaDriver.open(0);
    long module = driver.load(BINARY);
    long norm = driver.function(module, "norm");
    driver.launch(driver.function(module, "gemm"), new Launch(), 0);
    stub.set("lost_by", 1);
    fails(
        "CUDA_ERROR_ILLEGAL_ADDRESS",
        "run of norm (grid 1x1x1, block 1x1x1, 0 bytes of shared memory, 0 bytes of arguments) on GPU 0 (Stub 0): "
            + "CUDA_ERROR_ILLEGAL_ADDRESS, an illegal memory access was encountered",
        () -> driver.launch(norm, new Launch(), 0));
  }

  @Test
  void useAfterClose() {
    Driver driver = JcudaDriver.open(1);
    driver.close();
    assertEquals(
        "GPU 1 used after close",
        assertThrows(IllegalStateException.class, driver::memory).getMessage());
  }
}
