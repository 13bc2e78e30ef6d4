package dev.fovea.vit.cli;

import dev.fovea.vit.train.TrainConfig;
import dev.fovea.vit.train.TrainRun;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;

/** Which run: a new one, or one to go on with. */
final class FolderOptions {
  private static final String DEVICE = "run.device";

  @Option(names = "--out", paramLabel = "FOLDER", description = "The run folder (default: the next runs/run-N).")
  private @Nullable Path out;

  @Option(
      names = "--resume",
      description = "Go on with the run in --out, or with the latest one, from its last checkpoint.")
  private boolean resume;

  /** Reads a configuration. */
  interface Reading {
    TrainConfig read() throws IOException;
  }

  /**
   * Trains.
   *
   * @param settings that were given, of which a run to go on with takes the device only
   * @param config of a new run
   */
  void train(CommandSpec spec, ConfigOptions file, Map<String, Object> settings, Reading config) throws IOException {
    if (resume && (file.file() != null || !Set.of(DEVICE).containsAll(settings.keySet()))) {
      throw new ParameterException(
          spec.commandLine(), "--resume goes on with the run's own settings: leave all but --device out");
    }
    Path runs = Path.of("runs");
    Path folder = out != null ? out : resume ? RunFolders.latest(runs) : RunFolders.next(runs);
    Session.run(
        spec.commandLine().getOut(),
        folder,
        listener -> resume
            ? TrainRun.resume(folder, (String) settings.get(DEVICE), listener)
            : TrainRun.start(config.read(), folder, listener));
  }
}
