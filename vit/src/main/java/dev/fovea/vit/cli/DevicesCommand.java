package dev.fovea.vit.cli;

import dev.fovea.kernels.cpu.CpuKernels;
import dev.fovea.kernels.cuda.CudaException;
import dev.fovea.kernels.cuda.CudaKernels;
import dev.fovea.kernels.cuda.DeviceInfo;
import dev.fovea.kernels.cuda.Driver;
import dev.fovea.kernels.cuda.JcudaDriver;
import dev.fovea.kernels.cuda.KernelBuild;
import java.io.PrintWriter;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Lists the devices that kernels run on here. */
@Command(
    name = "devices",
    sortOptions = false,
    description = {"List the devices that kernels run on here, and why there is no GPU if there is none.", ""})
final class DevicesCommand implements Runnable {
  @Spec
  private CommandSpec spec;

  @Override
  public void run() {
    PrintWriter out = spec.commandLine().getOut();
    try (CpuKernels cpu = CpuKernels.create()) {
      out.println(cpu.description());
    }
    try {
      JcudaDriver.devices().forEach(device -> out.println(describe(device)));
    } catch (CudaException e) {
      out.println("cuda: " + e.getMessage());
    }
    KernelBuild build = KernelBuild.find();
    out.println(
        build == null
            ? "kernels for cuda: not built, because nvcc was not found when this was built"
            : "kernels for cuda: built with CUDA %s for %s and later"
                .formatted(build.toolkit(), String.join(" ", build.targets())));
  }

  /** One line about a GPU: what it is, its memory, its driver, its kernels; or why it cannot be used. */
  private static String describe(DeviceInfo device) {
    String name = "cuda:" + device.ordinal() + ": ";
    try (Driver driver = JcudaDriver.open(device.ordinal());
        CudaKernels kernels = CudaKernels.over(driver, 0)) {
      long free = driver.memory().freeBytes();
      return name
          + kernels.description().replaceFirst("^cuda: ", "")
          + ", %s of memory (%s free), driver for CUDA %s"
              .formatted(gibibytes(device.memoryBytes()), gibibytes(free), device.cudaVersion());
    } catch (CudaException e) {
      return name + e.getMessage();
    }
  }

  private static String gibibytes(long bytes) {
    return String.format(Locale.ROOT, "%.1f GiB", bytes / (double) (1 << 30));
  }
}
