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
            .choose(NORMAL, "shape", "B/16 1x197", "B/16 1x577", "So400m/14 1x256", "g/14 1x257")
            .choose(QUICK, "shape", "B/16 1x197", "So400m/14 1x256")
            .where(subject -> subject.isFovea() || subject.benchmark().equals("forward")),
        JmhSuite.of("norm", "layer norm, its gradient, and RMS norm, as pictures x tokens", NormBenchmark.class)
            .choose(FULL, "by", "fovea", "djl")
            .choose(NORMAL, "shape", "B/16 32x197", "g/14 8x257")
            .choose(QUICK, "shape", "B/16 32x197")
            .where(subject -> subject.isFovea() || subject.benchmark().equals("layer")),
        JmhSuite.of("elementwise", "pointwise kernels on an MLP's hidden values", ElementwiseBenchmark.class)
            .choose(FULL, "by", "fovea", "djl", "nd4j")
            .choose(NORMAL, "shape", "B/16 16x197")
            .where(Suites::pointwise),
        simple("cast", "between F32 and BF16", CastBenchmark.class, "B/16 16x197"),
        simple(
            "image",
            "between pictures and patches, as pictures x pixels of a side",
            ImageBenchmark.class,
            "B/16 32x224"),
        simple("token", "sequences assembled, picked and pooled", TokenBenchmark.class, "B/16 32x197"),
        simple("reduce", "sums and norms", ReduceBenchmark.class, "B/16 16x197")
            .choose(FULL, "by", "fovea", "djl")
            .where(subject -> subject.isFovea() || subject.benchmark().equals("sum")),
        simple("random", "Philox random numbers", RandomBenchmark.class, "B/16 8x197"),
        simple("loss", "classification losses over classes x pictures", LossBenchmark.class, "ImageNet-1k 1024")
            .choose(FULL, "by", "fovea", "djl", "nd4j")
            .where(Suites::lossOfPeer),
        simple("optimizer", "steps of an MLP's first weight", OptimizerBenchmark.class, "g/14")
            .choose(FULL, "by", "fovea", "djl")
            .where(subject -> subject.isFovea() || subject.benchmark().equals("adamW")),
        batches(),
        models(),
        JmhSuite.of(
                "tokens", "attention over ever more tokens: time, and memory that grows in proportion", TokenCost.class)
            .axis("tokens")
            .choose(NORMAL, "tokens", "64", "197", "577", "1024", "2048")
            .choose(QUICK, "tokens", "197", "1024")
            .setupTakes(1),
        JmhSuite.of(
                "depth", "gradients of ever deeper ViT-Ti/16, by what is kept and what computed again", DepthCost.class)
            .axis("depth")
            .choose(NORMAL, "depth", "4", "8", "12")
            .choose(QUICK, "depth", "4", "12")
            .setupTakes(2));
  }

  private static JmhSuite batches() {
    return JmhSuite.of("batch", "pictures at 224 pixels, ever more at once: classes and vectors", BatchCost.class)
        .axis("batch")
        .choose(NORMAL, "model", "S/16")
        .choose(NORMAL, "batch", "1", "4", "16")
        .choose(QUICK, "batch", "1", "8")
        .setupTakes(2);
  }

  private static JmhSuite models() {
    return JmhSuite.of("models", "whole models of timm, on the same weights as their peers", ModelBenchmark.class)
        .choose(FULL, "by", "fovea", "onnxruntime", "djl")
        .choose(NORMAL, "pass", "forward")
        .choose(NORMAL, "model", "vit_base_patch16_224")
        .choose(QUICK, "batch", "1")
        .where(subject ->
            subject.isFovea() || subject.parameters().getOrDefault("pass", "").equals("forward"))
        .setupTakes(5);
  }

  private static JmhSuite gemm() {
    return JmhSuite.of(
            "gemm", "F32 products of linear layers, C = A B^T, as m x n x k or of a model", GemmBenchmark.class)
        .choose(
            FULL, "by", "fovea", "fovea:packed", "openblas", "openblas:SkylakeX", "mkl", "mkl:packed", "djl", "nd4j")
        .choose(NORMAL, "by", "fovea", "fovea:packed", "openblas:SkylakeX", "mkl", "djl", "nd4j")
        .choose(
            NORMAL,
            "shape",
            "1024x1024x1024",
            "B/16 1x197 qkv",
            "B/16 8x197 fc1",
            "So400m/14 8x256 fc1",
            "g/14 1x257 fc1")
        .choose(QUICK, "shape", "1024x1024x1024", "B/16 1x197 qkv", "So400m/14 8x256 fc1");
  }

  private static JmhSuite simple(String name, String title, Class<?> benchmark, String usual) {
    return JmhSuite.of(name, title, benchmark).choose(NORMAL, "shape", usual);
  }

  private static boolean pointwise(Subject subject) {
    return switch (subject.variant()) {
      case "djl" -> List.of("gelu", "geluTanh", "add").contains(subject.benchmark());
      case "nd4j" -> subject.benchmark().equals("add");
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
