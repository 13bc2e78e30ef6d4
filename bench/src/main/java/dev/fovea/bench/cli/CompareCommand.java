package dev.fovea.bench.cli;

import dev.fovea.bench.report.Comparison;
import dev.fovea.bench.report.ComparisonText;
import dev.fovea.bench.report.Results;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Tells what became faster or slower. */
@Command(
    name = "compare",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Tell what became faster or slower from one run to another, beyond noise.",
      "",
      "A change counts where the confidence intervals of the two means do not overlap (Student's, 95 %%, over the"
          + " processes' means) and the means differ by more than 3 %%. Runs with fewer than three processes (--quick)"
          + " have intervals over iterations, and 10 %% instead.",
      "",
      "Exits with 0 if nothing of Fovea's became slower, 1 if something did or fails now, 2 if the runs cannot be"
          + " compared.",
      ""
    })
final class CompareCommand implements Callable<Integer> {
  @Spec
  private CommandSpec spec;

  @Parameters(index = "0", paramLabel = "BEFORE", description = "A run: its folder, or its results.json.")
  private Path before = Path.of("");

  @Parameters(index = "1", paramLabel = "AFTER", description = "The other run.")
  private Path after = Path.of("");

  @Option(names = "--anyway", description = "Compare runs of different machines too.")
  private boolean anyway;

  @Override
  public Integer call() throws IOException {
    Results a = read(before);
    Results b = read(after);
    PrintWriter out = spec.commandLine().getOut();
    PrintWriter err = spec.commandLine().getErr();
    List<String> machine = Comparison.otherMachine(a.environment(), b.environment());
    if (!machine.isEmpty() && !anyway) {
      err.printf(
          "fovea: these runs are of different machines (%s), and their times say nothing about Fovea's changes;"
              + " --anyway compares them%n",
          String.join("; ", machine));
      return ExitCode.USAGE;
    }
    machine.forEach(difference -> err.println("warning: another machine, " + difference));
    Comparison.otherSoftware(a.environment(), b.environment())
        .forEach(difference -> err.println("warning: other software, " + difference));
    if (a.effort() != b.effort()) {
      err.printf("warning: measured with different effort, %s then %s%n", a.effort(), b.effort());
    }
    out.printf(
        "before: %s, %s%nafter:  %s, %s%n",
        a.environment().date(), commit(a), b.environment().date(), commit(b));
    Comparison comparison = Comparison.of(a, b);
    out.print(ComparisonText.of(comparison));
    out.flush();
    return comparison.isRegression() ? ExitCode.SOFTWARE : ExitCode.OK;
  }

  private static String commit(Results run) {
    String commit = run.environment().commit();
    return commit == null ? "of no known commit" : "commit " + commit;
  }

  private Results read(Path path) throws IOException {
    if (!Files.exists(path)) {
      throw new ParameterException(spec.commandLine(), path + ": no such file or folder");
    }
    return Results.read(path);
  }
}
