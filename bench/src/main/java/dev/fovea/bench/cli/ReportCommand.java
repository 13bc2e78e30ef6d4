package dev.fovea.bench.cli;

import dev.fovea.bench.report.Report;
import dev.fovea.bench.report.Results;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Writes the report of a run again. */
@Command(
    name = "report",
    mixinStandardHelpOptions = true,
    description = "Write report.html and the plots of a run again, as of one that was interrupted.")
final class ReportCommand implements Callable<Integer> {
  @Spec
  private CommandSpec spec;

  @Parameters(index = "0", paramLabel = "DIR", description = "The run's folder.")
  private Path folder = Path.of("");

  @Override
  public Integer call() throws IOException {
    if (!Files.exists(folder.resolve(Results.FILE))) {
      throw new ParameterException(spec.commandLine(), folder + ": got no " + Results.FILE + " in it, expected a run");
    }
    Report.write(Results.read(folder), folder);
    spec.commandLine().getOut().println(folder.resolve(Report.FILE));
    return 0;
  }
}
