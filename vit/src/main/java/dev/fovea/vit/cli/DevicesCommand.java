package dev.fovea.vit.cli;

import dev.fovea.kernels.cpu.CpuKernels;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

/** Lists the devices that kernels run on here. */
@Command(name = "devices", description = "List the devices that kernels run on here.")
final class DevicesCommand implements Runnable {
  @Spec
  private CommandSpec spec;

  @Override
  public void run() {
    try (CpuKernels cpu = CpuKernels.create()) {
      spec.commandLine().getOut().println(cpu.description());
    }
  }
}
