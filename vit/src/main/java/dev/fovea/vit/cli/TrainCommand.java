package dev.fovea.vit.cli;

import dev.fovea.vit.model.VitConfig;
import dev.fovea.vit.train.ConfigFile;
import dev.fovea.vit.train.TrainConfig;
import dev.fovea.vit.train.TrainOnly;
import dev.fovea.vit.train.TrainRun;
import java.io.IOException;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Trains a model. */
@Command(
    name = "train",
    sortOptions = false,
    description = {
      "Train a Vision Transformer.",
      "",
      "Without options: a small model of parallel blocks learns the built-in shapes, in about two minutes on two"
          + " cores. The run folder gets the configuration, metrics, checkpoints, pictures of how it went, and the"
          + " model. Ctrl-C ends a run after the present step; --resume goes on with it.",
      ""
    })
final class TrainCommand implements Callable<Integer> {
  @Spec
  private CommandSpec spec;

  @Option(names = "--out", paramLabel = "FOLDER", description = "The run folder (default: the next runs/shapes-N).")
  private @Nullable Path out;

  @Option(
      names = "--resume",
      description = "Go on with the run in --out, or with the latest one, from its last checkpoint.")
  private boolean resume;

  @Option(names = "--config", paramLabel = "FILE", description = "Settings as YAML or JSON, as in a run's run.yaml.")
  private @Nullable Path file;

  @Option(
      names = "--data",
      paramLabel = "PATH",
      description = {
        "Pictures to learn from: a folder with a folder for each class (or train and val with such), a CSV file of"
            + " path,label, or the files of MNIST, CIFAR-10 or CIFAR-100. Where nothing is set apart to evaluate on, a"
            + " tenth of each class is.",
        "Built in: shapes, shapes:matching (texture tells the class too), shapes:conflict."
      })
  private @Nullable String data;

  @Option(
      names = "--model",
      paramLabel = "FOLDER",
      description = "A model to fine-tune, as the other commands take it; it gets a new classifier.")
  private @Nullable Path model;

  @Option(
      names = "--train-only",
      description = "What of the model is trained: ${COMPLETION-CANDIDATES}. What is not costs little memory.")
  private @Nullable TrainOnly trainOnly;

  @Option(
      names = "--layer-decay",
      paramLabel = "FACTOR",
      description = "Learning rate of each layer relative to the one after it, for example 0.75.")
  private @Nullable Double layerDecay;

  @Option(
      names = "--rand-augment",
      paramLabel = "N,M",
      description = "RandAugment: N operations of magnitude M (0 to 10) on each picture, for example 2,9.")
  private @Nullable String randAugment;

  @Option(names = "--steps", description = "Updates of the parameters.")
  private @Nullable Long steps;

  @Option(names = "--batch", description = "Pictures of a step.")
  private @Nullable Integer batch;

  @Option(names = "--lr", description = "Base learning rate.")
  private @Nullable Double lr;

  @Option(names = "--optimizer", description = "${COMPLETION-CANDIDATES}.")
  private TrainConfig.@Nullable Method optimizer;

  @Option(names = "--schedule", description = "${COMPLETION-CANDIDATES}.")
  private TrainConfig.@Nullable Curve schedule;

  @Option(names = "--warmup", description = "Steps of linear rise of the learning rate.")
  private @Nullable Long warmup;

  @Option(names = "--seed", description = "Of everything random: the same seed gives the same model, bit for bit.")
  private @Nullable Long seed;

  @Option(
      names = "--image-size",
      description = "Height and width of the pictures (--model: its own, or else positions are resampled).")
  private @Nullable Integer imageSize;

  @Option(names = "--patch", description = "Height and width of a patch.")
  private @Nullable Integer patch;

  @Option(names = "--width", description = "Width of a token.")
  private @Nullable Integer width;

  @Option(names = "--depth", description = "Number of blocks.")
  private @Nullable Integer depth;

  @Option(names = "--heads", description = "Heads of attention.")
  private @Nullable Integer heads;

  @Option(names = "--mlp", description = "Hidden width of the MLPs.")
  private @Nullable Integer mlp;

  @Option(names = "--block", description = "${COMPLETION-CANDIDATES}.")
  private VitConfig.@Nullable Block block;

  @Option(
      names = "--device",
      paramLabel = "NAME",
      description = "Where to compute: cpu, cuda (or cuda:N, as ./fovea devices lists them), or auto, the first GPU if"
          + " there is one (default: auto). With --resume: go on there, wherever the run began.")
  private @Nullable String device;

  @Option(names = "--recompute", description = "What backward passes compute again: ${COMPLETION-CANDIDATES}.")
  private TrainConfig.@Nullable Recomputation recompute;

  @Override
  public Integer call() throws IOException {
    checkShape();
    Map<String, Object> settings = settings();
    if (resume && (file != null || !Set.of("run.device").containsAll(settings.keySet()))) {
      throw new ParameterException(
          spec.commandLine(), "--resume goes on with the run's own settings: leave all but --device out");
    }
    Path folder = out != null ? out : resume ? RunFolders.latest(Path.of("runs")) : RunFolders.next(Path.of("runs"));
    try (Interrupt interrupt = new Interrupt();
        TrainProgress progress = new TrainProgress(spec.commandLine().getOut());
        TrainRun run = resume
            ? TrainRun.resume(folder, device, progress)
            : TrainRun.start(ConfigFile.read(file, settings), folder, progress)) {
      progress.begin(folder, run);
      TrainRun.Outcome outcome = run.train(interrupt::requested);
      progress.end(folder, outcome);
    }
    return 0;
  }

  /** Options that are settings, by their names in a configuration. */
  private Map<String, Object> settings() {
    Map<String, Object> given = new LinkedHashMap<>();
    put(given, "data.set", data);
    put(given, "tuning.model", model == null ? null : model.toString());
    put(given, "tuning.train_only", trainOnly);
    put(given, "tuning.layer_decay", layerDecay);
    put(given, "run.steps", steps);
    put(given, "data.batch", batch);
    put(given, "data.rand_augment", randAugment);
    put(given, "optimizer.lr", rate());
    put(given, "optimizer.method", optimizer);
    put(given, "schedule.curve", schedule);
    put(given, "schedule.warmup", warmup);
    put(given, "run.seed", seed);
    put(given, model == null ? "model.image_size" : "tuning.image_size", imageSize);
    put(given, "model.patch", patch);
    put(given, "model.width", width);
    put(given, "model.depth", depth);
    put(given, "model.heads", heads);
    put(given, "model.mlp", mlp);
    put(given, "model.block", block);
    put(given, "run.device", device);
    put(given, "run.recompute", recompute);
    return given;
  }

  /** Trained weights move by less than new ones. */
  private @Nullable Double rate() {
    if (lr != null || model == null || file != null) {
      return lr;
    }
    TrainOnly which = trainOnly == null ? TrainOnly.ALL : trainOnly;
    return switch (which) {
      case ALL -> 1e-4;
      case ATTENTION -> 3e-4;
      case HEAD -> 3e-3;
    };
  }

  private void checkShape() {
    boolean shaped = patch != null || width != null || depth != null || heads != null || mlp != null || block != null;
    if (model != null && shaped) {
      throw new ParameterException(
          spec.commandLine(), "--model has a shape of its own: leave out --patch, --width and the others like them");
    }
  }

  private static void put(Map<String, Object> settings, String name, @Nullable Object value) {
    if (value != null) {
      settings.put(name, value);
    }
  }
}
