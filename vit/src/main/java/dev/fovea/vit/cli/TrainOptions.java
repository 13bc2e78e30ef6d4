package dev.fovea.vit.cli;

import dev.fovea.vit.model.VitConfig;
import dev.fovea.vit.train.Loss;
import dev.fovea.vit.train.TrainConfig;
import dev.fovea.vit.train.TrainOnly;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParseResult;

/**
 * The options of {@link TrainCommand} that are settings of a configuration: an option of a group is the setting of the
 * group's section that has its name, as {@code --head-lr} is {@code optimizer.head_lr}.
 */
@SuppressWarnings("UnusedVariable") // Fields are read as the options they are of.
final class TrainOptions {
  /** By the order of the groups. */
  private static final List<String> SECTIONS = List.of("data", "model", "tuning", "optimizer", "schedule", "run");

  /** Options whose settings have another name. */
  private static final Map<String, String> OTHERS =
      Map.of("--data", "data.set", "--optimizer", "optimizer.method", "--schedule", "schedule.curve");

  @ArgGroup(validate = false, order = 0, heading = "%nPictures (data):%n")
  private Pictures pictures = new Pictures();

  @ArgGroup(validate = false, order = 1, heading = "%nA new model (model):%n")
  private Shape shape = new Shape();

  @ArgGroup(validate = false, order = 2, heading = "%nA model that you have (tuning):%n")
  private Start start = new Start();

  @ArgGroup(validate = false, order = 3, heading = "%nHow it learns (optimizer):%n")
  private Moves moves = new Moves();

  @ArgGroup(validate = false, order = 4, heading = "%nThe learning rate by step (schedule):%n")
  private Rate rate = new Rate();

  @ArgGroup(validate = false, order = 5, heading = "%nThe run (run):%n")
  private Job job = new Job();

  /** Section data. */
  private static final class Pictures {
    @Option(
        names = "--data",
        paramLabel = "PATH",
        description = {
          "What to learn from: a folder with a folder for each class (or train and val with such), a CSV file of"
              + " path,label, or the files of MNIST, CIFAR-10 or CIFAR-100. Where nothing is set apart to evaluate on,"
              + " a tenth of each class is.",
          "Built in: shapes, shapes:matching (texture tells the class too), shapes:conflict."
        })
    private @Nullable String data;

    @Option(names = "--batch", paramLabel = "N", description = "Pictures of a step (default: 64).")
    private @Nullable Integer batch;

    @Option(names = "--crop", negatable = true, description = "Take random parts of pictures, at random sizes.")
    private @Nullable Boolean crop;

    @Option(
        names = "--least-area",
        paramLabel = "SHARE",
        description = "Smallest share of a picture that --crop takes (default: 0.3).")
    private @Nullable Double leastArea;

    @Option(names = "--flip", negatable = true, description = "Mirror every other picture.")
    private @Nullable Boolean flip;

    @Option(
        names = "--rand-augment",
        paramLabel = "N,M",
        description = "RandAugment: N operations of magnitude M (0 to 10) on each picture, for example 2,9.")
    private @Nullable String randAugment;

    @Option(names = "--mixup", paramLabel = "ALPHA", description = "Blend pictures in pairs, for example 0.2.")
    private @Nullable Double mixup;

    @Option(names = "--cutmix", paramLabel = "ALPHA", description = "Paste a part of one picture into another.")
    private @Nullable Double cutmix;

    @Option(names = "--loss", paramLabel = "NAME", description = "${COMPLETION-CANDIDATES} (default: SOFTMAX).")
    private @Nullable Loss loss;

    @Option(
        names = "--smoothing",
        paramLabel = "SHARE",
        description = "Label smoothing: share of the target that all classes have in common, for example 0.1.")
    private @Nullable Double smoothing;
  }

  /** Section model. */
  private static final class Shape {
    @Option(
        names = "--preset",
        paramLabel = "NAME",
        description = "A model of the papers, such as Ti/16, S/16, B/16, So400m/14 or g/14; 'fovea info' lists them."
            + " What else is given here changes it.")
    private @Nullable String preset;

    @Option(
        names = "--image-size",
        paramLabel = "N",
        description =
            "Height and width of the pictures (--preset: 224; --model: its own, or else positions are resampled).")
    private @Nullable Integer imageSize;

    @Option(names = "--patch", paramLabel = "N", description = "Height and width of a patch.")
    private @Nullable Integer patch;

    @Option(names = "--width", paramLabel = "N", description = "Width of a token.")
    private @Nullable Integer width;

    @Option(names = "--depth", paramLabel = "N", description = "Number of blocks.")
    private @Nullable Integer depth;

    @Option(names = "--heads", paramLabel = "N", description = "Heads of attention.")
    private @Nullable Integer heads;

    @Option(names = "--mlp", paramLabel = "N", description = "Hidden width of the MLPs.")
    private @Nullable Integer mlp;

    @Option(
        names = "--block",
        paramLabel = "KIND",
        description = "${COMPLETION-CANDIDATES}: one after the other; side by side as in ViT-22B; two attentions and"
            + " then two MLPs side by side.")
    private VitConfig.@Nullable Block block;

    @Option(names = "--qk-norm", negatable = true, description = "Normalise queries and keys.")
    private @Nullable Boolean qkNorm;

    @Option(
        names = "--drop-path",
        paramLabel = "RATE",
        description = "Stochastic depth: chance to leave a branch of the last block out for a picture; less in the"
            + " blocks before, down to 0 in the first. For example 0.1. With --model too.")
    private @Nullable Double dropPath;

    @Option(names = "--positions", paramLabel = "KIND", description = "${COMPLETION-CANDIDATES}.")
    private VitConfig.@Nullable Positions positions;

    @Option(
        names = "--stem",
        paramLabel = "KIND",
        description = "How a patch becomes a token: ${COMPLETION-CANDIDATES}; HMLP is three layers (Three things).")
    private VitConfig.@Nullable Stem stem;

    @Option(
        names = "--pool",
        paramLabel = "KIND",
        description = "How tokens become one vector: ${COMPLETION-CANDIDATES}.")
    private VitConfig.@Nullable Pool pool;

    /** What a model that is there has already. */
    boolean shapes() {
      return preset != null
          || patch != null
          || width != null
          || depth != null
          || heads != null
          || mlp != null
          || block != null
          || qkNorm != null
          || positions != null
          || stem != null
          || pool != null;
    }
  }

  /** Section tuning. */
  private static final class Start {
    @Option(
        names = "--model",
        paramLabel = "FOLDER",
        description = "A model to fine-tune, as the other commands take it; it gets a new classifier.")
    private @Nullable Path model;

    @Option(
        names = "--train-only",
        paramLabel = "PART",
        description = "What of it is trained: ${COMPLETION-CANDIDATES}. What is not costs little memory.")
    private @Nullable TrainOnly trainOnly;

    @Option(
        names = "--layer-decay",
        paramLabel = "FACTOR",
        description = "Learning rate of each layer relative to the one after it, for example 0.75.")
    private @Nullable Double layerDecay;
  }

  /** Section optimizer. */
  private static final class Moves {
    @Option(names = "--optimizer", paramLabel = "NAME", description = "${COMPLETION-CANDIDATES} (default: ADAMW).")
    private TrainConfig.@Nullable Method optimizer;

    @Option(
        names = "--lr",
        paramLabel = "RATE",
        description = "Base learning rate (default: 0.003; 0.2 / width with --preset; less with --model).")
    private @Nullable Double lr;

    @Option(
        names = "--head-lr",
        paramLabel = "FACTOR",
        description = "Learning rate of the classifier relative to the rest (default: 1).")
    private @Nullable Double headLr;

    @Option(
        names = "--weight-decay",
        paramLabel = "X",
        description = "Of weights of linear layers, relative to the learning rate (default: 0.05); biases, norms,"
            + " positions and learned tokens do not decay.")
    private @Nullable Double weightDecay;

    @Option(
        names = "--head-weight-decay",
        paramLabel = "X",
        description = "Of the classifier's weights (default: 0.05; Scaling ViT: 3 beside 0.03 for the others).")
    private @Nullable Double headWeightDecay;

    @Option(
        names = "--clip",
        paramLabel = "NORM",
        description =
            "Largest norm of all gradients (default: 1). 0 for any: then, without --accumulate, every gradient"
                + " is used and freed as soon as it exists.")
    private @Nullable Double clip;

    @Option(names = "--beta1", paramLabel = "X", description = "Momentum (default: 0.9).")
    private @Nullable Double beta1;

    @Option(names = "--beta2", paramLabel = "X", description = "Decay of AdamW's second moment (default: 0.99).")
    private @Nullable Double beta2;

    @Option(names = "--bf16-momentum", negatable = true, description = "Store the momentum in bfloat16, half as large.")
    private @Nullable Boolean bf16Momentum;

    @Option(
        names = "--polyak",
        paramLabel = "DECAY",
        description = "Evaluate and save a moving average of the parameters, for example 0.999.")
    private @Nullable Double polyak;
  }

  /** Section schedule. */
  private static final class Rate {
    @Option(names = "--schedule", paramLabel = "CURVE", description = "${COMPLETION-CANDIDATES} (default: COSINE).")
    private TrainConfig.@Nullable Curve schedule;

    @Option(names = "--warmup", paramLabel = "STEPS", description = "Steps of linear rise at the start (default: 100).")
    private @Nullable Long warmup;

    @Option(
        names = "--cooldown",
        paramLabel = "STEPS",
        description = "Steps of linear fall to 0 at the end, for CONSTANT and RSQRT (default: 0); 'fovea cooldown' adds"
            + " them to a run.")
    private @Nullable Long cooldown;

    @Option(
        names = "--timescale",
        paramLabel = "STEPS",
        description = "Of RSQRT: after so many steps the rate has fallen to 0.71 of its peak (default: 10000).")
    private @Nullable Long timescale;
  }

  /** Section run. */
  private static final class Job {
    @Option(names = "--steps", paramLabel = "N", description = "Updates of the parameters (default: 1200).")
    private @Nullable Long steps;

    @Option(
        names = "--seed",
        paramLabel = "N",
        description = "Of everything random: the same seed gives the same model, bit for bit.")
    private @Nullable Long seed;

    @Option(
        names = "--device",
        paramLabel = "NAME",
        description =
            "Where to compute: cpu, cuda (or cuda:N, as ./fovea devices lists them), or auto, the first GPU if"
                + " there is one (default: auto). With --resume: go on there, wherever the run began.")
    private @Nullable String device;

    @Option(
        names = "--recompute",
        paramLabel = "POLICY",
        description = "What backward passes compute again, to save memory: ${COMPLETION-CANDIDATES} (default: AUTO, the"
            + " fastest that fits).")
    private TrainConfig.@Nullable Recomputation recompute;

    @Option(
        names = "--memory",
        paramLabel = "BYTES",
        converter = Bytes.class,
        description = "Most memory for tensors, for example 6GB (default: what there is).")
    private @Nullable Long memory;

    @Option(
        names = "--accumulate",
        paramLabel = "N",
        description = "Compute a batch in N parts whose gradients add up (default: 1).")
    private @Nullable Integer accumulate;

    @Option(names = "--eval-every", paramLabel = "STEPS", description = "Evaluate so often (default: 200).")
    private @Nullable Long evalEvery;

    @Option(
        names = "--checkpoint-every",
        paramLabel = "STEPS",
        description = "Write checkpoints so often (default: 200).")
    private @Nullable Long checkpointEvery;

    @Option(
        names = "--keep",
        paramLabel = "N",
        description = "Checkpoints to keep beside the best (default: 2); 0 for all, to cool down from any.")
    private @Nullable Integer keep;

    @Option(
        names = "--on-non-finite",
        paramLabel = "ACTION",
        description = "When loss or gradients are not finite: ${COMPLETION-CANDIDATES} (default: STOP).")
    private TrainConfig.@Nullable OnNonFinite onNonFinite;
  }

  /** Whether options would change the shape of a model that is there. */
  boolean reshapesModel() {
    return start.model != null && shape.shapes();
  }

  /**
   * The settings that were given.
   *
   * @param file whether there is a file of settings too
   */
  Map<String, Object> settings(ParseResult parsed, boolean file) {
    Map<String, Object> given = new LinkedHashMap<>();
    for (OptionSpec option : parsed.commandSpec().options()) {
      Object value = option.getValue();
      if (option.group() != null && parsed.hasMatchedOption(option) && value != null) {
        given.put(setting(option), value instanceof Path ? value.toString() : value);
      }
    }
    if (start.model != null && given.containsKey("model.image_size")) {
      given.put("tuning.image_size", given.remove("model.image_size"));
    }
    if (start.model != null && moves.lr == null && !file) {
      given.put("optimizer.lr", tuningRate());
    }
    return given;
  }

  private static String setting(OptionSpec option) {
    String name = option.longestName();
    return OTHERS.getOrDefault(
        name, SECTIONS.get(option.group().order()) + "." + name.substring(2).replace('-', '_'));
  }

  /** Trained weights move by less than new ones. */
  private double tuningRate() {
    return switch (start.trainOnly == null ? TrainOnly.ALL : start.trainOnly) {
      case ALL -> 1e-4;
      case ATTENTION -> 3e-4;
      case HEAD -> 3e-3;
    };
  }
}
