package dev.fovea.vit.cli;

import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** Stands for the benchmarks, which the launcher runs from a module of their own. */
@Command(
    name = "bench",
    sortOptions = false,
    description = {
      "Measure kernels and models beside other libraries, with a report.",
      "This needs the source tree: the script ./fovea in it builds the benchmarks and runs them.",
      ""
    })
final class BenchCommand implements Runnable {
  @Parameters(hidden = true)
  private List<String> arguments = List.of();

  @Override
  public void run() {
    throw new IllegalStateException(
        "benchmarks need Fovea's source tree: run ./fovea bench there, got bench " + String.join(" ", arguments));
  }
}
