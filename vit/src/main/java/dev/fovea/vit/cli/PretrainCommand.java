package dev.fovea.vit.cli;

import dev.fovea.vit.data.Masking;
import dev.fovea.vit.model.VitConfig;
import dev.fovea.vit.train.ConfigFile;
import dev.fovea.vit.train.TrainConfig;
import dev.fovea.vit.train.TrainRun;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
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
      ""
    })
final class PretrainCommand implements Callable<Integer> {
  private static final double RATIO = 0.75;

  @Spec
  private CommandSpec spec;

  @Option(names = "--out", paramLabel = "FOLDER", description = "The run folder (default: the next runs/run-N).")
  private @Nullable Path out;

  @Option(
      names = "--resume",
      description = "Go on with the run in --out, or with the latest one, from its last checkpoint.")
  private boolean resume;

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

  @Option(names = "--steps", paramLabel = "N", description = "Updates of the parameters (default: 1200).")
  private @Nullable Long steps;

  @Option(
      names = "--model",
      paramLabel = "FOLDER",
      description = "A model to go on with, as the other commands take it; its classifier is left behind.")
  private @Nullable Path model;

  @Option(
      names = "--stem",
      paramLabel = "KIND",
      description =
          "How a patch becomes a token: LINEAR, or HMLP, three small layers as in Three things" + " (default: LINEAR).")
  private VitConfig.@Nullable Stem stem;

  @Option(names = "--width", paramLabel = "N", description = "Width of a token (default: 64).")
  private @Nullable Integer width;

  @Option(names = "--depth", paramLabel = "N", description = "Number of blocks (default: 4).")
  private @Nullable Integer depth;

  @Option(names = "--mlp", paramLabel = "N", description = "Hidden width of the MLPs (default: 128).")
  private @Nullable Integer mlp;

  @Mixin
  private RunOptions options = new RunOptions();

  @Override
  public Integer call() throws IOException {
    Map<String, Object> settings = settings();
    if (resume && (options.file() != null || !settings.isEmpty())) {
      throw new ParameterException(
          spec.commandLine(), "--resume goes on with the run's own settings: leave the others out");
    }
    Path runs = Path.of("runs");
    Path folder = out != null ? out : resume ? RunFolders.latest(runs) : RunFolders.next(runs);
    Session.run(
        spec.commandLine().getOut(),
        folder,
        listener -> resume ? TrainRun.resume(folder, listener) : TrainRun.start(config(settings), folder, listener));
    return 0;
  }

  private TrainConfig config(Map<String, Object> settings) throws IOException {
    TrainConfig config = ConfigFile.read(options.file(), settings);
    if (config.masked().ratio() > 0) {
      return config;
    }
    if (settings.containsKey("masked.ratio")) {
      throw new ParameterException(
          spec.commandLine(), "--mask-ratio: got " + ratio + ", expected a number between 0 and 1");
    }
    settings.put("masked.ratio", RATIO);
    return ConfigFile.read(options.file(), settings);
  }

  private Map<String, Object> settings() {
    Map<String, Object> given = new LinkedHashMap<>();
    RunOptions.put(given, "masked.ratio", ratio);
    RunOptions.put(given, "masked.pattern", pattern);
    RunOptions.put(given, "masked.target", target);
    RunOptions.put(given, "masked.decoder_depth", decoderDepth);
    RunOptions.put(given, "masked.decoder_width", decoderWidth);
    RunOptions.put(given, "masked.decoder_heads", decoderHeads);
    RunOptions.put(given, "run.steps", steps);
    RunOptions.put(given, "model.stem", stem);
    RunOptions.put(given, "model.width", width);
    RunOptions.put(given, "model.depth", depth);
    RunOptions.put(given, "model.mlp", mlp);
    given.putAll(options.settings());
    if (model != null) {
      checkShape(given);
      given.put("tuning.model", model.toString());
      RunOptions.put(given, "tuning.image_size", given.remove("model.image_size"));
    }
    return given;
  }

  private void checkShape(Map<String, Object> given) {
    for (String name : List.of("stem", "width", "depth", "mlp", "patch", "heads", "block")) {
      if (given.containsKey("model." + name)) {
        throw new ParameterException(spec.commandLine(), "--model has a shape of its own: leave out --" + name);
      }
    }
  }
}
