package dev.fovea.tensor;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fovea.kernels.cuda.KernelBinary;
import dev.fovea.kernels.ptx.PtxDriver;
import dev.fovea.kernels.ptx.PtxOptions;

/** Devices of each kind that tests can have anywhere. */
public enum Devices {
  CPU {
    @Override
    Device open(long memory) {
      return Device.cpu(CpuOptions.defaults().withThreads(1).withMemoryLimit(memory));
    }
  },
  CUDA {
    @Override
    Device open(long memory) {
      assumeCompiledKernels();
      return CudaDevice.over(new PtxDriver(PtxOptions.standard().withMemory(memory)));
    }
  };

  /** Skips a test where the build made no GPU kernels. */
  public static void assumeCompiledKernels() {
    assumeTrue(new KernelBinary("gemm").ptx() != null, "the build found no nvcc, so there are no GPU kernels to run");
  }

  /** A device with so many bytes of memory. */
  abstract Device open(long memory);

  static void close(Device device) {
    switch (device) {
      case CpuDevice cpu -> cpu.close();
      case CudaDevice cuda -> cuda.close();
    }
  }
}
