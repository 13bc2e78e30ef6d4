package dev.fovea.vit.cli;

import dev.fovea.vit.train.ConfigFile;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
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
@SuppressWarnings("UnusedVariable") // Groups are read as the options they hold.
final class TrainCommand implements Callable<Integer> {
  @Spec
  private CommandSpec spec;

  @Mixin
  private FolderOptions run = new FolderOptions();

  @Mixin
  private ConfigOptions config = new ConfigOptions();

  @ArgGroup(validate = false, order = 0, heading = "%nPictures (data):%n")
  private OptionGroups.LabelledPictures pictures = new OptionGroups.LabelledPictures();

  @ArgGroup(validate = false, order = 1, heading = "%nA new model (model):%n")
  private OptionGroups.Shape shape = new OptionGroups.Shape();

  @ArgGroup(validate = false, order = 2, heading = "%nA model that you have (tuning):%n")
  private OptionGroups.Tuned start = new OptionGroups.Tuned();

  @ArgGroup(validate = false, order = 3, heading = "%nHow it learns (optimizer):%n")
  private OptionGroups.ClassifierMoves moves = new OptionGroups.ClassifierMoves();

  @ArgGroup(validate = false, order = 4, heading = "%nThe learning rate by step (schedule):%n")
  private OptionGroups.Rate rate = new OptionGroups.Rate();

  @ArgGroup(validate = false, order = 5, heading = "%nThe run (run):%n")
  private OptionGroups.Run job = new OptionGroups.Run();

  @Override
  public Integer call() throws IOException {
    Map<String, Object> settings = settings();
    run.train(spec, config, settings, () -> ConfigFile.read(config.file(), settings));
    return 0;
  }

  /** What options say, by names in a configuration. */
  Map<String, Object> settings() {
    Map<String, Object> settings = GivenSettings.of(spec);
    if (start.model() != null && config.file() == null) {
      settings.putIfAbsent("optimizer.lr", start.rate());
    }
    settings.putAll(config.settings());
    return settings;
  }
}
