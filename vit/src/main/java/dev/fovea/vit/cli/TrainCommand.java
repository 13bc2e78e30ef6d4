package dev.fovea.vit.cli;

import dev.fovea.vit.train.ConfigFile;
import dev.fovea.vit.train.TrainRun;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Trains a model. */
@Command(
    name = "train",
    sortOptions = false,
    synopsisHeading = "Usage: ",
    customSynopsis = "fovea train [OPTIONS]",
    description = {
      "Train a Vision Transformer.",
      "",
      "Without options: a small model of parallel blocks learns the built-in shapes, in about two minutes on two"
          + " cores. The run folder gets the configuration, metrics, checkpoints, pictures of how it went, and the"
          + " model. Ctrl-C ends a run after the present step, with a checkpoint and exit code 130; --resume goes on"
          + " with it.",
      "",
      "Options in groups are settings of a run's run.yaml too, in the section in brackets: --head-lr is head_lr there.",
      ""
    },
    footer = {
      "",
      "Examples:",
      "  fovea train",
      "  fovea train --preset S/16 --image-size 96 --patch 8 --data photos --flip",
      "  fovea train --model vit_base_patch16_224 --train-only head --data photos",
      "  fovea train --resume"
    })
final class TrainCommand implements Callable<Integer> {
  @Spec
  private CommandSpec spec;

  @Option(names = "--out", paramLabel = "FOLDER", description = "The run folder (default: the next runs/run-N).")
  private @Nullable Path out;

  @Option(
      names = "--resume",
      description = "Go on with the run in --out, or with the latest one, from its last checkpoint.")
  private boolean resume;

  @Option(names = "--config", paramLabel = "FILE", description = "Settings as YAML or JSON, as in a run's run.yaml.")
  private @Nullable Path file;

  @Option(
      names = "--set",
      paramLabel = "SECTION.NAME=VALUE",
      description = "Any setting, by its name in run.yaml, for example optimizer.eps=1e-6; may be repeated.")
  private Map<String, String> others = new LinkedHashMap<>();

  @Mixin
  private TrainOptions options = new TrainOptions();

  @Override
  public Integer call() throws IOException {
    Map<String, Object> settings = settings();
    if (resume && (file != null || !Set.of("run.device").containsAll(settings.keySet()))) {
      throw new ParameterException(
          spec.commandLine(), "--resume goes on with the run's own settings: leave all but --device out");
    }
    Path folder = out != null ? out : resume ? RunFolders.latest(Path.of("runs")) : RunFolders.next(Path.of("runs"));
    Session.run(
        spec.commandLine().getOut(),
        folder,
        listener -> resume
            ? TrainRun.resume(folder, (String) settings.get("run.device"), listener)
            : TrainRun.start(ConfigFile.read(file, settings), folder, listener));
    return 0;
  }

  /** What options say, by names in a configuration. */
  Map<String, Object> settings() {
    if (options.reshapesModel()) {
      throw new ParameterException(
          spec.commandLine(), "--model has a shape of its own: leave out --preset, --width and the others like them");
    }
    Map<String, Object> settings = options.settings(spec.commandLine().getParseResult(), file != null);
    settings.putAll(others);
    return settings;
  }
}
