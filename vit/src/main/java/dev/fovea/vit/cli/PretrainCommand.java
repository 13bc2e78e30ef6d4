package dev.fovea.vit.cli;

import dev.fovea.vit.data.Masking;
import dev.fovea.vit.train.ConfigFile;
import dev.fovea.vit.train.TrainConfig;
import java.io.IOException;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Trains a model without labels. */
@Command(
    name = "pretrain",
    sortOptions = false,
    customSynopsis = "Usage: fovea pretrain [OPTIONS]",
    synopsisHeading = "",
    description = {
      "Train a model without labels: most patches of each picture are hidden, and the model learns to fill them in.",
      "",
      "Without options: a small model and the built-in shapes, in about two minutes on two cores. The run folder gets"
          + " pictures of what was filled in, and the model, to fine-tune on few labels:",
      "  fovea pretrain --out runs/pre",
      "  fovea train --model runs/pre/model --data FOLDER",
      "",
      "Options in groups are settings of a run's run.yaml too, in the section in brackets.",
      ""
    })
@SuppressWarnings("UnusedVariable") // Groups are read as the options they hold.
final class PretrainCommand implements Callable<Integer> {
  private static final double RATIO = 0.75;

  @Spec
  private CommandSpec spec;

  @Mixin
  private FolderOptions run = new FolderOptions();

  @Mixin
  private ConfigOptions config = new ConfigOptions();

  @ArgGroup(validate = false, order = 0, heading = "%nWhat is hidden, and what fills it in (masked):%n")
  private Masks masks = new Masks();

  @ArgGroup(validate = false, order = 1, heading = "%nPictures (data), of which any folder will do:%n")
  private OptionGroups.Pictures pictures = new OptionGroups.Pictures();

  @ArgGroup(validate = false, order = 2, heading = "%nA new model (model):%n")
  private OptionGroups.Shape shape = new OptionGroups.Shape();

  @ArgGroup(validate = false, order = 3, heading = "%nA model that you have (tuning):%n")
  private OptionGroups.Start start = new OptionGroups.Start();

  @ArgGroup(validate = false, order = 4, heading = "%nHow it learns (optimizer):%n")
  private OptionGroups.Moves moves = new OptionGroups.Moves();

  @ArgGroup(validate = false, order = 5, heading = "%nThe learning rate by step (schedule):%n")
  private OptionGroups.Rate rate = new OptionGroups.Rate();

  @ArgGroup(validate = false, order = 6, heading = "%nThe run (run):%n")
  private OptionGroups.Run job = new OptionGroups.Run();

  /** What is hidden, and what fills it in. */
  @OptionGroups.Section("masked")
  private static final class Masks {
    @Option(
        names = "--mask-ratio",
        paramLabel = "SHARE",
        description = "Share of the patches that are hidden (default: 0.75).")
    private @Nullable Double ratio;

    @Option(
        names = "--mask-pattern",
        paramLabel = "PATTERN",
        description = "How they lie: RANDOM, each by itself, or BLOCKS, in rectangles as in BEiT (default: RANDOM).")
    private Masking.@Nullable Pattern pattern;

    @Option(
        names = "--target",
        paramLabel = "TARGET",
        description = "What is learned of them: PIXELS, or NORMALIZED, each patch less its mean and by its deviation"
            + " (default: PIXELS).")
    private TrainConfig.@Nullable Target target;

    @Option(
        names = "--decoder-depth",
        paramLabel = "N",
        description = {
          "Blocks of a decoder that fills in what is hidden, the model itself seeing visible patches only, as MAE does"
              + " (default: 1).",
          "0: the model sees a mask token in the place of each hidden patch, as BEiT does."
        })
    private @Nullable Integer decoderDepth;

    @Option(names = "--decoder-width", paramLabel = "N", description = "Width of a token in the decoder (default: 64).")
    private @Nullable Integer decoderWidth;

    @Option(names = "--decoder-heads", paramLabel = "N", description = "Heads of its attention (default: 2).")
    private @Nullable Integer decoderHeads;
  }

  @Override
  public Integer call() throws IOException {
    Map<String, Object> settings = GivenSettings.of(spec);
    settings.putAll(config.settings());
    run.train(spec, config, settings, () -> masked(settings));
    return 0;
  }

  /** The configuration, with patches hidden even where it does not say so. */
  private TrainConfig masked(Map<String, Object> settings) throws IOException {
    TrainConfig read = ConfigFile.read(config.file(), settings);
    if (read.masked().ratio() > 0) {
      return read;
    }
    if (settings.containsKey("masked.ratio")) {
      throw new ParameterException(
          spec.commandLine(),
          "--mask-ratio: got " + settings.get("masked.ratio") + ", expected a number between 0 and 1");
    }
    settings.put("masked.ratio", RATIO);
    return ConfigFile.read(config.file(), settings);
  }
}
