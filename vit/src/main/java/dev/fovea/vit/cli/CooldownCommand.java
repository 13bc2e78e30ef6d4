package dev.fovea.vit.cli;

import dev.fovea.vit.train.Cooldown;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Branches a run that cools down off another. */
@Command(
    name = "cooldown",
    sortOptions = false,
    description = {
      "Branch a run off a checkpoint of another, with a learning rate that falls to 0 in a straight line.",
      "",
      "One long run with --schedule rsqrt (or constant) and --keep 0 gives a finished model for any length this way."
          + " The run itself stays as it is and may go on meanwhile. The branch is a run like others: Ctrl-C stops it,"
          + " and 'fovea train --resume --out FOLDER' goes on with it.",
      ""
    },
    footer = {
      "",
      "Examples:",
      "  fovea train --schedule rsqrt --steps 10000 --keep 0 --out runs/long",
      "  fovea cooldown runs/long --at 2000 --steps 400"
    })
final class CooldownCommand implements Callable<Integer> {
  @Spec
  private CommandSpec spec;

  @Parameters(paramLabel = "RUN", description = "The folder of the run to branch off.")
  private Path run = Path.of("");

  @Option(
      names = "--at",
      paramLabel = "STEP",
      description = "A step that the run has a checkpoint of (default: the latest).")
  private @Nullable Long at;

  @Option(names = "--steps", paramLabel = "N", required = true, description = "Steps of the cool-down.")
  private long steps;

  @Option(
      names = "--out",
      paramLabel = "FOLDER",
      description = "The new run's folder (default: RUN-cooldown-STEP-N, beside RUN).")
  private @Nullable Path out;

  @Override
  public Integer call() throws IOException {
    long from = at == null ? Cooldown.latest(run) : at;
    Path name = run.toAbsolutePath().normalize().getFileName();
    Path folder = out != null ? out : run.resolveSibling("%s-cooldown-%d-%d".formatted(name, from, steps));
    Session.run(spec.commandLine().getOut(), folder, listener -> Cooldown.begin(run, from, steps, folder, listener));
    return 0;
  }
}
