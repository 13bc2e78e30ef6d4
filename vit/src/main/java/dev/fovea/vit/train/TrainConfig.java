package dev.fovea.vit.train;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import dev.fovea.vit.data.Masking;
import dev.fovea.vit.data.RandAugment;
import dev.fovea.vit.model.Presets;
import dev.fovea.vit.model.VitConfig;
import dev.fovea.vit.model.VitConfigBuilder;

/**
 * Everything that a run depends on. Two runs of equal configurations end with the same bits.
 *
 * @param model what is trained
 * @param tuning whether it is one that is there already, and what of it is trained
 * @param data what it learns from
 * @param masked whether it learns to fill in hidden patches rather than classes
 * @param optimizer how it moves
 * @param schedule how fast, by step
 * @param run how long, and what is kept
 */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
public record TrainConfig(
    Model model, Tuning tuning, Data data, Masked masked, Optimization optimizer, Rate schedule, Run run) {
  public TrainConfig {
    if (tuning.starts() && !model.preset.isEmpty()) {
      throw new IllegalArgumentException(
          "preset: got %s beside the model %s, expected one of the two".formatted(model.preset, tuning.model()));
    }
  }

  /** The main job: a small parallel-residual model on the built-in shapes. */
  public static TrainConfig defaults() {
    return new TrainConfig(
        new Model(
            "",
            32,
            4,
            64,
            4,
            2,
            128,
            VitConfig.Block.PARALLEL,
            true,
            0,
            VitConfig.Positions.SINCOS,
            VitConfig.Pool.MEAN,
            VitConfig.Stem.LINEAR),
        Tuning.NONE,
        new Data("shapes", 1_000_000, 1000, 64, false, 0.3, false, "", 0, 0, Loss.SOFTMAX, 0),
        Masked.NONE,
        new Optimization(Method.ADAMW, 3e-3, 1, 0.05, 0.05, 0.9, 0.99, 1e-8, 1, false, 0),
        new Rate(Curve.COSINE, 100, 0, 10_000),
        new Run(1200, 0, "auto", Numbers.F32, true, Recomputation.AUTO, 0, 1, 200, 200, 2, OnNonFinite.STOP));
  }

  /** What is told of a hidden patch. */
  public enum Target {
    /** Its pixels, from -1 to 1. */
    PIXELS,
    /** Its pixels less their mean, by their deviation. */
    NORMALIZED
  }

  /** The defaults for a preset: its shape, and a learning rate as wide models bear it. */
  static TrainConfig defaults(String preset) {
    TrainConfig own = defaults();
    VitConfig vit = Presets.of(preset);
    var o = own.optimizer;
    return new TrainConfig(
        new Model(
            preset,
            vit.imageHeight(),
            vit.patchHeight(),
            vit.width(),
            vit.depth(),
            vit.heads(),
            vit.mlp(),
            vit.block(),
            vit.qkNorm() != null,
            vit.dropPath(),
            vit.positions(),
            vit.pool(),
            vit.stem()),
        own.tuning,
        own.data,
        own.masked,
        o.withRate(o.lr * own.model.width / vit.width()),
        own.schedule,
        own.run);
  }

  /** Kinds of optimizers. */
  public enum Method {
    /** {@link AdamW}. */
    ADAMW,
    /** {@link Adafactor}. */
    ADAFACTOR,
    /** {@link Sgd}. */
    SGD
  }

  /** Kinds of schedules. */
  public enum Curve {
    /** {@link Schedule.Constant}. */
    CONSTANT,
    /** {@link Schedule.Cosine}. */
    COSINE,
    /** {@link Schedule.ReciprocalSqrt}. */
    RSQRT
  }

  /** What is computed again in the backward pass: see {@link dev.fovea.tensor.Recompute}. */
  public enum Recomputation {
    /** Nothing. */
    NONE,
    /** Norms and activations. */
    SELECTIVE,
    /** Whole blocks. */
    BLOCK,
    /** Whole blocks, their inputs being in the host's memory meanwhile; on the CPU, where they are anyhow, as BLOCK. */
    OFFLOAD,
    /** The fastest of these that fits into memory. */
    AUTO
  }

  /** What to do about a loss or gradient that is not finite. */
  public enum OnNonFinite {
    /** End the run, with the largest activations named. */
    STOP,
    /** Leave the step out. */
    SKIP
  }

  /**
   * A model to be made anew.
   *
   * @param preset one of {@link Presets} that says what the others here do not; empty for none
   * @param imageSize height and width of its pictures
   * @param patch height and width of a patch
   * @param width of a token
   * @param depth number of blocks
   * @param heads of attention
   * @param mlp hidden width
   * @param block kind of block
   * @param qkNorm whether queries and keys are normalised per head
   * @param dropPath stochastic depth: the chance that a branch of the last block is left out for a picture; it grows
   *     evenly from 0 at the first block
   * @param positions how patches know where they are
   * @param pool how tokens become one vector
   * @param stem how a patch becomes a token
   */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  public record Model(
      String preset,
      int imageSize,
      int patch,
      int width,
      int depth,
      int heads,
      int mlp,
      VitConfig.Block block,
      boolean qkNorm,
      double dropPath,
      VitConfig.Positions positions,
      VitConfig.Pool pool,
      VitConfig.Stem stem) {}

  /**
   * Pictures and what is made of them.
   *
   * @param set a built-in set, shapes, shapes:matching or shapes:conflict, or the path of another
   *     ({@link dev.fovea.vit.data.Split#open})
   * @param trainSize pictures of a built-in set to train on
   * @param valSize pictures of a built-in set to evaluate on
   * @param batch pictures of one step
   * @param crop whether random parts are taken
   * @param leastArea smallest part of the area that a crop takes
   * @param flip whether every other picture is mirrored
   * @param randAugment operations and magnitude of {@link RandAugment}, as in 2,9; empty for none
   * @param mixup alpha of mixup, 0 for none
   * @param cutmix alpha of cutmix, 0 for none
   * @param loss what is minimized
   * @param smoothing share of the targets spread evenly over all classes
   */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  public record Data(
      String set,
      int trainSize,
      int valSize,
      int batch,
      boolean crop,
      double leastArea,
      boolean flip,
      String randAugment,
      double mixup,
      double cutmix,
      Loss loss,
      double smoothing) {
    public Data {
      RandAugment.parse(randAugment);
    }

    /** With other pictures. */
    Data withSet(String other) {
      return new Data(
          other, trainSize, valSize, batch, crop, leastArea, flip, randAugment, mixup, cutmix, loss, smoothing);
    }

    /** What is done to single pictures. */
    RandAugment operations() {
      return RandAugment.parse(randAugment);
    }
  }

  /**
   * Masked pre-training.
   *
   * @param ratio share of the patches that are hidden; 0 where classes are learned
   * @param pattern how they lie
   * @param target what is told of them
   * @param decoderDepth blocks of a decoder, the encoder then seeing visible patches only (MAE); 0 for mask tokens in
   *     the encoder and a linear layer after it (BEiT)
   * @param decoderWidth of a token in the decoder
   * @param decoderHeads of its attention
   */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  public record Masked(
      double ratio, Masking.Pattern pattern, Target target, int decoderDepth, int decoderWidth, int decoderHeads) {
    /** Classes are learned. */
    public static final Masked NONE = new Masked(0, Masking.Pattern.RANDOM, Target.PIXELS, 1, 64, 2);

    public Masked {
      if (!(ratio >= 0 && ratio < 1)) {
        throw new IllegalArgumentException("ratio: got " + ratio + ", expected a number from 0, below 1");
      }
    }

    /** Whether patches are hidden. */
    boolean on() {
      return ratio > 0;
    }
  }

  /**
   * The optimizer.
   *
   * @param method kind
   * @param lr base learning rate
   * @param headLr factor of the learning rate for the classifier
   * @param weightDecay of linear layers, relative to the learning rate
   * @param headWeightDecay of the classifier
   * @param beta1 momentum
   * @param beta2 decay of AdamW's second moment
   * @param eps of AdamW
   * @param clip largest global norm of the gradients, 0 for any
   * @param bf16Momentum whether the first moment is stored in bfloat16
   * @param polyak decay of an average of the parameters that is evaluated and saved instead of them, 0 for none
   */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  public record Optimization(
      Method method,
      double lr,
      double headLr,
      double weightDecay,
      double headWeightDecay,
      double beta1,
      double beta2,
      double eps,
      double clip,
      boolean bf16Momentum,
      double polyak) {
    public Optimization {
      if (!(headLr > 0)) {
        throw new IllegalArgumentException("head_lr: got " + headLr + ", expected a number above 0");
      }
    }

    private Optimization withRate(double other) {
      return new Optimization(
          method, other, headLr, weightDecay, headWeightDecay, beta1, beta2, eps, clip, bf16Momentum, polyak);
    }
  }

  /**
   * The learning rate.
   *
   * @param curve kind
   * @param warmup steps of linear rise
   * @param cooldown steps of linear fall to 0 at the end, for CONSTANT and RSQRT
   * @param timescale of RSQRT
   */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  public record Rate(Curve curve, long warmup, long cooldown, long timescale) {}

  /**
   * The run.
   *
   * @param steps updates of the parameters
   * @param seed of everything random
   * @param device cpu, cuda or cuda:N for a GPU, or auto for the first GPU if there is one that can be used
   * @param dtype what the model computes in
   * @param masters whether parameters are kept in F32 where the model computes in BF16; else they are BF16, rounded
   *     stochastically at every step: 2 bytes each instead of 6
   * @param recompute what backward passes compute again
   * @param memory most bytes of device memory, 0 for what there is
   * @param accumulate micro-batches that a batch is computed in
   * @param evalEvery steps between evaluations
   * @param checkpointEvery steps between checkpoints
   * @param keep how many of the last checkpoints are kept, beside the best; 0 for all
   * @param onNonFinite what to do about a loss that is not finite
   */
  @JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
  public record Run(
      long steps,
      long seed,
      String device,
      Numbers dtype,
      boolean masters,
      Recomputation recompute,
      long memory,
      int accumulate,
      long evalEvery,
      long checkpointEvery,
      int keep,
      OnNonFinite onNonFinite) {
    public Run {
      if (steps < 1) {
        throw new IllegalArgumentException("steps: got %d, expected at least 1".formatted(steps));
      }
      if (!masters && dtype == Numbers.F32) {
        throw new IllegalArgumentException("masters: got false with dtype f32, expected dtype bf16 or true");
      }
    }

    /** Of another length. */
    Run to(long end) {
      return with(end, device);
    }

    /** On another device. */
    Run on(String other) {
      return with(steps, other);
    }

    private Run with(long steps, String device) {
      return new Run(
          steps,
          seed,
          device,
          dtype,
          masters,
          recompute,
          memory,
          accumulate,
          evalEvery,
          checkpointEvery,
          keep,
          onNonFinite);
    }
  }

  /** With other pictures. */
  TrainConfig with(Data other) {
    return new TrainConfig(model, tuning, other, masked, optimizer, schedule, run);
  }

  /** With another model to start from. */
  TrainConfig with(Model made, Tuning from) {
    return new TrainConfig(made, from, data, masked, optimizer, schedule, run);
  }

  /** Run otherwise. */
  TrainConfig with(Run other) {
    return new TrainConfig(model, tuning, data, masked, optimizer, schedule, other);
  }

  /** Ending with a cool-down of so many steps that begins at a step. */
  TrainConfig cooled(long at, long steps) {
    Rate rate = new Rate(schedule.curve, schedule.warmup, steps, schedule.timescale);
    return new TrainConfig(model, tuning, data, masked, optimizer, rate, run.to(at + steps));
  }

  /** The schedule of the learning rate. */
  Schedule rate() {
    return switch (schedule.curve) {
      case CONSTANT -> new Schedule.Constant(optimizer.lr, run.steps, schedule.warmup, schedule.cooldown);
      case COSINE -> new Schedule.Cosine(optimizer.lr, run.steps, schedule.warmup);
      case RSQRT ->
        new Schedule.ReciprocalSqrt(optimizer.lr, run.steps, schedule.warmup, schedule.cooldown, schedule.timescale);
    };
  }

  /** The model to make for so many classes. */
  VitConfig vit(int classes) {
    VitConfig preset = model.preset.isEmpty() ? null : Presets.of(model.preset);
    VitConfigBuilder base =
        preset == null ? VitConfig.builder() : preset.toBuilder().poolHeads(0).poolMlp(0);
    VitConfig.Norm qkNorm = preset == null || preset.qkNorm() == null ? VitConfig.Norm.layer(1e-6f) : preset.qkNorm();
    return base.image(model.imageSize)
        .patch(model.patch)
        .shape(model.width, model.depth, model.mlp, model.heads)
        .block(model.block)
        .branches(model.block == VitConfig.Block.THINGS ? 2 : 1)
        .qkNorm(model.qkNorm ? qkNorm : null)
        .dropPath((float) model.dropPath)
        .classToken(model.pool == VitConfig.Pool.CLASS)
        .positions(model.positions)
        .pool(model.pool)
        .stem(model.stem)
        .stemNorm(model.stem == VitConfig.Stem.HMLP ? VitConfig.Norm.layer(1e-6f) : null)
        .classes(classes)
        .build();
  }
}
