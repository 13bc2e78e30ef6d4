package dev.fovea.vit.cli;

import dev.fovea.vit.model.VitConfig;
import dev.fovea.vit.train.Loss;
import dev.fovea.vit.train.Numbers;
import dev.fovea.vit.train.TrainConfig;
import dev.fovea.vit.train.TrainOnly;
import java.lang.annotation.ElementType;
import java.lang.annotation.Inherited;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Option;

/**
 * Options that are settings of a configuration, in groups that commands which train choose from: an option is the
 * setting of its group's section that has its name, as {@code --head-lr} is {@code optimizer.head_lr}, or the one that
 * {@link GivenSettings} knows it by.
 */
@SuppressWarnings("UnusedVariable") // Fields are read as the options they are of.
final class OptionGroups {
  private OptionGroups() {}

  /** The section of a configuration that a group's options are settings of. */
  @Inherited
  @Retention(RetentionPolicy.RUNTIME)
  @Target(ElementType.TYPE)
  @interface Section {
    /** Its name. */
    String value();
  }

  /** Which pictures, and what is done to each. */
  @Section("data")
  static class Pictures {
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
  }

  /** Pictures of classes. */
  static final class LabelledPictures extends Pictures {
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

  /** What a new model is, but for its width, depth and MLP. */
  @Section("model")
  static class Model {
    @Option(
        order = 1,
        names = "--preset",
        paramLabel = "NAME",
        description = "A model of the papers, such as Ti/16, S/16, B/16, So400m/14 or g/14; 'fovea info' lists them."
            + " What else is given here changes it.")
    private @Nullable String preset;

    @Option(
        order = 2,
        names = "--image-size",
        paramLabel = "N",
        description =
            "Height and width of the pictures (default: 32; --preset: 224; --model: its own, or else positions are"
                + " resampled).")
    private @Nullable Integer imageSize;

    @Option(order = 3, names = "--patch", paramLabel = "N", description = "Height and width of a patch (default: 4).")
    private @Nullable Integer patch;

    @Option(order = 6, names = "--heads", paramLabel = "N", description = "Heads of attention (default: 2).")
    private @Nullable Integer heads;

    @Option(
        order = 8,
        names = "--block",
        paramLabel = "KIND",
        description = "${COMPLETION-CANDIDATES}: one after the other; side by side as in ViT-22B; two attentions and"
            + " then two MLPs side by side (default: PARALLEL).")
    private VitConfig.@Nullable Block block;

    @Option(
        order = 9,
        names = "--qk-norm",
        negatable = true,
        description = "Normalise queries and keys (default: yes).")
    private @Nullable Boolean qkNorm;

    @Option(
        order = 10,
        names = "--drop-path",
        paramLabel = "RATE",
        description = "Stochastic depth: chance to leave a branch of the last block out for a picture; less in the"
            + " blocks before, down to 0 in the first. For example 0.1. With --model too.")
    private @Nullable Double dropPath;

    @Option(
        order = 11,
        names = "--positions",
        paramLabel = "KIND",
        description = "How patches know where they are: ${COMPLETION-CANDIDATES} (default: SINCOS).")
    private VitConfig.@Nullable Positions positions;

    @Option(
        order = 12,
        names = "--stem",
        paramLabel = "KIND",
        description = "How a patch becomes a token: ${COMPLETION-CANDIDATES}; HMLP is three layers, as in Three"
            + " things (default: LINEAR).")
    private VitConfig.@Nullable Stem stem;

    @Option(
        order = 13,
        names = "--pool",
        paramLabel = "KIND",
        description = "How tokens become one vector: ${COMPLETION-CANDIDATES} (default: MEAN).")
    private VitConfig.@Nullable Pool pool;
  }

  /** A model of one shape. */
  static final class Shape extends Model {
    @Option(order = 4, names = "--width", paramLabel = "N", description = "Width of a token (default: 64).")
    private @Nullable Integer width;

    @Option(order = 5, names = "--depth", paramLabel = "N", description = "Number of blocks (default: 4).")
    private @Nullable Integer depth;

    @Option(order = 7, names = "--mlp", paramLabel = "N", description = "Hidden width of the MLPs (default: 128).")
    private @Nullable Integer mlp;
  }

  /** A model to start from. */
  @Section("tuning")
  static class Start {
    @Option(
        names = "--model",
        paramLabel = "FOLDER",
        description =
            "A model to start from, as the other commands take it. It gets a new classifier, or loses its own where"
                + " no classes are learned.")
    private @Nullable Path model;

    @Nullable
    Path model() {
      return model;
    }
  }

  /** A model to fine-tune. */
  static final class Tuned extends Start {
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

    /** A base learning rate: trained weights move by less than new ones. */
    double rate() {
      return switch (trainOnly == null ? TrainOnly.ALL : trainOnly) {
        case ALL -> 1e-4;
        case ATTENTION -> 3e-4;
        case HEAD -> 3e-3;
      };
    }
  }

  /** How it learns. */
  @Section("optimizer")
  static class Moves {
    @Option(names = "--optimizer", paramLabel = "NAME", description = "${COMPLETION-CANDIDATES} (default: ADAMW).")
    private TrainConfig.@Nullable Method optimizer;

    @Option(
        names = "--lr",
        paramLabel = "RATE",
        description = "Base learning rate (default: 0.003; 0.2 / width with --preset; less for fine-tuning).")
    private @Nullable Double lr;

    @Option(
        names = "--weight-decay",
        paramLabel = "X",
        description = "Of weights of linear layers, relative to the learning rate (default: 0.05); biases, norms,"
            + " positions and learned tokens do not decay.")
    private @Nullable Double weightDecay;

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

  /** How a model with a classifier learns. */
  static final class ClassifierMoves extends Moves {
    @Option(
        names = "--head-lr",
        paramLabel = "FACTOR",
        description = "Learning rate of the classifier relative to the rest (default: 1).")
    private @Nullable Double headLr;

    @Option(
        names = "--head-weight-decay",
        paramLabel = "X",
        description = "Of the classifier's weights (default: 0.05; Scaling ViT: 3 beside 0.03 for the others).")
    private @Nullable Double headWeightDecay;
  }

  /** The learning rate by step. */
  @Section("schedule")
  static final class Rate {
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

  /** How it is computed and kept, but for its length and what goes by that. */
  @Section("run")
  static class Job {
    @Option(
        order = 2,
        names = "--seed",
        paramLabel = "N",
        description = "Of everything random: the same seed gives the same model, bit for bit.")
    private @Nullable Long seed;

    @Option(
        order = 3,
        names = "--device",
        paramLabel = "NAME",
        description =
            "Where to compute: cpu, cuda (or cuda:N, as ./fovea devices lists them), or auto, the first GPU if"
                + " there is one (default: auto). With --resume: go on there, wherever the run began.")
    private @Nullable String device;

    @Option(
        order = 4,
        names = "--dtype",
        paramLabel = "NUMBERS",
        description = "What the model computes in: ${COMPLETION-CANDIDATES} (default: F32). BF16 halves the memory of"
            + " activations and is faster on GPUs; parameters are kept in F32 beside it, see --masters.")
    private @Nullable Numbers dtype;

    @Option(
        order = 4,
        names = "--masters",
        negatable = true,
        description = "Keep F32 parameters beside those that --dtype bf16 computes with (default: yes). Without them a"
            + " parameter takes 2 bytes instead of 6: each step rounds it up or down at random, right on average, and"
            + " the model is saved in BF16.")
    private @Nullable Boolean masters;

    @Option(
        order = 5,
        names = "--recompute",
        paramLabel = "POLICY",
        description = "What backward passes compute again, to save memory: ${COMPLETION-CANDIDATES} (default: AUTO, the"
            + " fastest that fits).")
    private TrainConfig.@Nullable Recomputation recompute;

    @Option(
        order = 6,
        names = "--memory",
        paramLabel = "BYTES",
        converter = Bytes.class,
        description = "Most memory for tensors, for example 6GB (default: what there is).")
    private @Nullable Long memory;

    @Option(
        order = 7,
        names = "--accumulate",
        paramLabel = "N",
        description = "Compute a batch in N parts whose gradients add up (default: 1).")
    private @Nullable Integer accumulate;

    @Option(
        order = 9,
        names = "--checkpoint-every",
        paramLabel = "STEPS",
        description = "Write checkpoints so often (default: 200).")
    private @Nullable Long checkpointEvery;

    @Option(
        order = 10,
        names = "--keep",
        paramLabel = "N",
        description = "Checkpoints to keep beside the best (default: 2); 0 for all, to cool down from any.")
    private @Nullable Integer keep;

    @Option(
        order = 11,
        names = "--on-non-finite",
        paramLabel = "ACTION",
        description = "When loss or gradients are not finite: ${COMPLETION-CANDIDATES} (default: STOP).")
    private TrainConfig.@Nullable OnNonFinite onNonFinite;
  }

  /** A run of one length. */
  static final class Run extends Job {
    @Option(order = 1, names = "--steps", paramLabel = "N", description = "Updates of the parameters (default: 1200).")
    private @Nullable Long steps;

    @Option(order = 8, names = "--eval-every", paramLabel = "STEPS", description = "Evaluate so often (default: 200).")
    private @Nullable Long evalEvery;
  }
}
