package dev.fovea.bench.cli;

import dev.fovea.bench.report.Readme;
import dev.fovea.bench.report.Results;
import dev.fovea.kernels.cuda.KernelBuild;
import dev.fovea.vit.cli.EvidenceFile;
import dev.fovea.vit.cli.EvidenceFile.Standing;
import dev.fovea.vit.cli.EvidenceFile.State;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Writes the tables and plots that the README shows. */
@Command(
    name = "readme",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Write the README's tables and plots from a run and from the evidence of GPUs.",
      "",
      "Between <!-- bench:begin --> and <!-- bench:end --> go short tables of the run, into bench/RESULTS.md all its"
          + " tables, and its plots into .pictures. Between <!-- evidence:begin --> and <!-- evidence:end -->, where"
          + " the README has them, goes what the files of bench/evidence say about this build's GPU kernels: verified,"
          + " failed, stale where their sources have changed since, pending where they have not run.",
      ""
    })
final class ReadmeCommand implements Callable<Integer> {
  private static final String REGION = "bench";
  private static final String EVIDENCE = "evidence";

  @Spec
  private CommandSpec spec;

  @Parameters(
      index = "0",
      arity = "0..1",
      paramLabel = "RUN",
      description = "A run: its folder, or its results.json (without one, only the evidence is written).")
  private @Nullable Path run;

  @Option(
      names = "--root",
      paramLabel = "DIR",
      description = "The source tree to write to (default: the one that the command is of).")
  private Path root = Path.of(System.getProperty("fovea.home", ""));

  @Override
  public Integer call() throws IOException {
    Path readme = root.resolve("README.md");
    if (!Files.exists(readme)) {
      throw new ParameterException(spec.commandLine(), readme + ": no such file");
    }
    PrintWriter out = spec.commandLine().getOut();
    if (run != null) {
      Readme text = new Readme(Results.read(run));
      text.pictures(root.resolve(".pictures"));
      Files.createDirectories(root.resolve("bench"));
      Files.writeString(root.resolve("bench").resolve("RESULTS.md"), text.tables("../.pictures"));
      Readme.replace(readme, REGION, text.summary(".pictures", "bench/RESULTS.md"));
      out.println("wrote " + readme + ", bench/RESULTS.md and .pictures/bench-*.png");
    }
    if (Files.readString(readme).contains("<!-- " + EVIDENCE + ":begin -->")) {
      Readme.replace(readme, EVIDENCE, evidence(KernelBuild.find(), root));
      out.println("wrote the evidence of GPUs");
    } else if (run == null) {
      throw new ParameterException(
          spec.commandLine(), "got no run and no <!-- evidence:begin --> in " + readme + ", so there is nothing to do");
    }
    return ExitCode.OK;
  }

  /** A line for each GPU that has evidence, and their times. */
  static String evidence(@Nullable KernelBuild build, Path root) throws IOException {
    if (build == null) {
      throw new IllegalStateException(
          "this build has no GPU kernels (nvcc was not found), so their states cannot be told");
    }
    StringBuilder text =
        new StringBuilder("| GPU | verified | failed | stale | pending | largest error, of tolerance |\n");
    text.append("|---|---|---|---|---|---|\n");
    StringBuilder times = new StringBuilder();
    List<Path> files = EvidenceFile.known(root);
    for (Path file : files) {
      EvidenceFile evidence = EvidenceFile.read(file);
      if (!evidence.isEmulated()) {
        row(text, evidence.title(), evidence.standings(build));
        times.append("\n%s:\n\n%s\n".formatted(evidence.gpu(), String.join("\n", evidence.times())));
      }
    }
    if (files.isEmpty()) {
      row(text, "none yet", EvidenceFile.withoutEvidence(build));
    }
    return text.append("\nKernels by what the committed files of bench/evidence say about them, written by"
            + " `./fovea bench readme`.\n")
        .append(times)
        .toString();
  }

  private static void row(StringBuilder text, String gpu, List<Standing> families) {
    text.append("| ").append(gpu).append(" |");
    for (State state : State.values()) {
      text.append(" %d |"
          .formatted(
              families.stream().mapToInt(family -> family.of(state).size()).sum()));
    }
    double worst = families.stream().mapToDouble(Standing::ofTolerance).max().orElse(0);
    text.append(worst > 0 ? " %.0f %% |\n".formatted(100 * worst) : " |\n");
  }
}
