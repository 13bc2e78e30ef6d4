package dev.fovea.bench;

import static dev.fovea.bench.report.Effort.FULL;
import static dev.fovea.bench.report.Effort.NORMAL;
import static dev.fovea.bench.report.Effort.QUICK;

import dev.fovea.bench.kernel.AttentionBenchmark;
import dev.fovea.bench.kernel.CastBenchmark;
import dev.fovea.bench.kernel.ElementwiseBenchmark;
import dev.fovea.bench.kernel.GemmBenchmark;
import dev.fovea.bench.kernel.ImageBenchmark;
import dev.fovea.bench.kernel.LossBenchmark;
import dev.fovea.bench.kernel.NormBenchmark;
import dev.fovea.bench.kernel.OptimizerBenchmark;
import dev.fovea.bench.kernel.RandomBenchmark;
import dev.fovea.bench.kernel.ReduceBenchmark;
import dev.fovea.bench.kernel.TokenBenchmark;
import dev.fovea.bench.model.BatchCost;
import dev.fovea.bench.model.DepthCost;
import dev.fovea.bench.model.TokenCost;
import dev.fovea.bench.report.JmhSuite;
import dev.fovea.bench.report.Subject;
import dev.fovea.bench.report.Suite;
import java.util.List;

/** Everything that {@code ./fovea bench} can run, in the order in which it runs. */
public final class Suites {
  private static final List<String> GELUS = List.of("gelu", "geluTanh", "geluGradient");

  private Suites() {}

  /** This machine's limits: measured before anything else. */
  public static Suite machine() {
    return JmhSuite.of(
            "machine", "the limits of this machine: multiply-adds in registers, and memory", MachineBenchmark.class)
        .threaded();
  }

  /** All suites of the CPU. */
  public static List<Suite> cpu() {
    return List.of(
        gemm(),
        JmhSuite.of(
                "attention",
                "attention of all heads, forward and backward, as pictures x tokens",
                AttentionBenchmark.class)
            .choose(FULL, "by", "fovea", "djl")
            .choose(NORMAL, "shape", "B/16 1x197", "B/16 1x577", "So400m/14 1x256")
            .choose(QUICK, "shape", "B/16 1x197", "So400m/14 1x256")
            .where(subject -> subject.isFovea() || subject.benchmark().equals("forward")),
        JmhSuite.of("norm", "layer norm, its gradient, and RMS norm, as pictures x tokens", NormBenchmark.class)
            .choose(FULL, "by", "fovea", "djl")
            .choose(NORMAL, "shape", "B/16 32x197")
            .where(subject -> subject.isFovea()
                || subject.benchmark().equals("layer")
                    && subject.parameter("dtype").equals("F32")),
        JmhSuite.of("elementwise", "pointwise kernels on an MLP's hidden values", ElementwiseBenchmark.class)
            .choose(FULL, "by", "fovea", "djl", "nd4j")
            .choose(NORMAL, "shape", "B/16 16x197")
            .where(Suites::pointwise)
            .whereBelow(
                FULL, subject -> subject.parameter("dtype").equals("F32") || GELUS.contains(subject.benchmark())),
        simple("cast", "between F32 and BF16", CastBenchmark.class, "B/16 16x197")
            .allThreadsFrom(FULL),
        simple(
                "image",
                "between pictures and patches, as pictures x pixels of a side",
                ImageBenchmark.class,
                "B/16 32x224")
            .allThreadsFrom(FULL),
        simple("token", "sequences assembled, picked and pooled", TokenBenchmark.class, "B/16 32x197")
            .allThreadsFrom(FULL),
        simple("reduce", "sums and norms", ReduceBenchmark.class, "B/16 16x197")
            .choose(FULL, "by", "fovea", "djl")
            .where(subject -> subject.isFovea() || subject.benchmark().equals("sum"))
            .allThreadsFrom(FULL),
        simple("random", "Philox random numbers", RandomBenchmark.class, "B/16 8x197")
            .allThreadsFrom(FULL),
        simple("loss", "classification losses over classes x pictures", LossBenchmark.class, "ImageNet-1k 1024")
            .choose(FULL, "by", "fovea", "djl", "nd4j")
            .where(Suites::lossOfPeer)
            .allThreadsFrom(FULL),
        simple("optimizer", "steps of an MLP's first weight", OptimizerBenchmark.class, "g/14")
            .choose(FULL, "by", "fovea", "djl")
            .where(subject -> subject.isFovea() || subject.benchmark().equals("adamW")),
        batches(),
        models(),
        steps(),
        JmhSuite.of(
                "tokens", "attention over ever more tokens: what it keeps grows in proportion to them", TokenCost.class)
            .axis("tokens")
            .choose(NORMAL, "tokens", "64", "197", "577", "1024", "2048")
            .choose(QUICK, "tokens", "197", "577", "1024")
            .allThreadsFrom(FULL)
            .setupTakes(1)
            .warmsUp(4),
        JmhSuite.of(
                "depth", "gradients of ever deeper ViT-Ti/16, by what is kept and what computed again", DepthCost.class)
            .axis("depth")
            .choose(NORMAL, "depth", "4", "8", "12")
            .choose(QUICK, "depth", "4", "12")
            .allThreadsFrom(FULL)
            .setupTakes(2)
            .warmsUp(6));
  }

  private static JmhSuite batches() {
    return JmhSuite.of("batch", "pictures at 224 pixels, ever more at once: classes and vectors", BatchCost.class)
        .axis("batch")
        .choose(NORMAL, "model", "S/16")
        .choose(NORMAL, "batch", "1", "4", "16")
        .choose(QUICK, "batch", "1", "8")
        .whereBelow(FULL, subject -> subject.benchmark().equals("predict"))
        .setupTakes(2)
        .warmsUp(8);
  }

  private static JmhSuite models() {
    return JmhSuite.of("models", "whole models of timm, on the same weights as their peers", ModelBenchmark.class)
        .choose(FULL, "by", "fovea", "onnxruntime", "djl", "pytorch")
        .choose(NORMAL, "by", "fovea", "onnxruntime", "pytorch")
        .choose(NORMAL, "model", "vit_base_patch16_224")
        .choose(QUICK, "batch", "1")
        .where(subject -> subject.isFovea()
            || subject.variant().equals("pytorch")
            || subject.parameter("pass").equals("forward"))
        .whereBelow(FULL, Suites::modelOfMinutes)
        .script(
            "pytorch",
            "eager.py",
            subject -> List.of(
                subject.parameter("model"),
                "--pass=" + subject.parameter("pass"),
                "--batch=" + subject.parameter("batch"),
                "--threads=" + subject.threads()))
        .setupTakes(Suites::secondsOfModel)
        .warmsUp(Suites::secondsOfWarmup);
  }

  private static JmhSuite steps() {
    return JmhSuite.of("train", "steps of training: forward, backward and AdamW", TrainStepBenchmark.class)
        .choose(FULL, "by", "fovea", "pytorch")
        .choose(NORMAL, "model", "S/16")
        .choose(NORMAL, "recompute", "NONE")
        .where(subject -> subject.isFovea() || subject.parameter("recompute").equals("NONE"))
        .script(
            "pytorch",
            "train_step.py",
            subject -> List.of(
                subject.parameter("model"), "--batch=" + subject.parameter("batch"), "--threads=" + subject.threads()))
        .setupTakes(subject -> 3 + (subject.parameter("model").equals("S/16") ? 12 : 48) / subject.threads())
        .warmsUp(8);
  }

  /** Eight pictures take seconds: on more than one thread alone, and without gradients. */
  private static boolean modelOfMinutes(Subject subject) {
    return subject.parameter("batch").equals("1")
        || subject.parameter("pass").equals("forward") && subject.threads() > 1;
  }

  /** Its start, and five calls, each at 80 GFLOP/s. */
  private static double secondsOfModel(Subject subject) {
    double forward = secondsOfPicture(subject) * Integer.parseInt(subject.parameter("batch"));
    double start = (large(subject) ? 8 : 3) + (subject.variant().equals("pytorch") ? 5 : 0);
    return start + 5 * (subject.parameter("pass").equals("gradients") ? 3 : 1) * forward;
  }

  /** Code is compiled by how often it was called: a large model takes a dozen pictures until nothing is left. */
  private static double secondsOfWarmup(Subject subject) {
    return Math.max(8, 12 * secondsOfPicture(subject));
  }

  private static double secondsOfPicture(Subject subject) {
    return (large(subject) ? 2.5 : 0.45) / subject.threads();
  }

  private static boolean large(Subject subject) {
    return subject.parameter("model").contains("so400m");
  }

  private static JmhSuite gemm() {
    return JmhSuite.of(
            "gemm", "F32 products of linear layers, C = A B^T, as m x n x k or of a model", GemmBenchmark.class)
        .choose(
            FULL, "by", "fovea", "fovea:packed", "openblas", "openblas:SkylakeX", "mkl", "mkl:packed", "djl", "nd4j")
        .choose(NORMAL, "by", "fovea", "fovea:packed", "openblas:SkylakeX", "mkl", "djl")
        .choose(NORMAL, "shape", "1024x1024x1024", "B/16 1x197 qkv", "B/16 8x197 fc1", "So400m/14 8x256 fc1")
        .choose(QUICK, "shape", "1024x1024x1024", "B/16 1x197 qkv", "So400m/14 8x256 fc1");
  }

  private static JmhSuite simple(String name, String title, Class<?> benchmark, String usual) {
    return JmhSuite.of(name, title, benchmark).choose(NORMAL, "shape", usual);
  }

  private static boolean pointwise(Subject subject) {
    boolean f32 = subject.parameter("dtype").equals("F32");
    return switch (subject.variant()) {
      case "djl" -> f32 && List.of("gelu", "geluTanh", "add").contains(subject.benchmark());
      case "nd4j" -> f32 && subject.benchmark().equals("add");
      default -> true;
    };
  }

  private static boolean lossOfPeer(Subject subject) {
    return switch (subject.variant()) {
      case "djl" -> List.of("softmax", "softmaxCrossEntropy").contains(subject.benchmark());
      case "nd4j" -> subject.benchmark().equals("softmax");
      default -> true;
    };
  }
}
