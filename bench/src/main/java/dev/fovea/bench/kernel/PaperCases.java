package dev.fovea.bench.kernel;

import dev.fovea.kernels.contract.AttentionCases;
import dev.fovea.kernels.contract.ElementwiseCases;
import dev.fovea.kernels.contract.GemmCases;
import dev.fovea.kernels.contract.KernelCase;
import dev.fovea.kernels.contract.LossCases;
import dev.fovea.kernels.contract.NormCases;
import dev.fovea.kernels.contract.OptimizerCases;
import java.util.stream.Stream;

/**
 * The {@linkplain Shapes list of shapes} as cases of the contract in F32, which GPUs are timed on;
 * {@code bench/peers/shapes.py} makes the same names of it.
 */
public final class PaperCases {
  private PaperCases() {}

  /** Those of a family; none where no peer has its kernels. */
  public static Stream<KernelCase> of(String family) {
    return Shapes.of(family).stream().flatMap(name -> cases(family, name));
  }

  private static Stream<KernelCase> cases(String family, String name) {
    return switch (family) {
      case "gemm" -> {
        GemmBenchmark.Size size = GemmBenchmark.Size.of(name);
        yield Stream.of(GemmCases.linear(size.m(), size.n(), size.k()));
      }
      case "attention" -> {
        PaperShape size = PaperShape.of(name);
        yield Stream.of(false, true)
            .map(backward ->
                AttentionCases.timed(size.batch(), size.heads(), size.tokens(), size.headWidth(), backward));
      }
      case "norm" -> {
        PaperShape size = PaperShape.of(name);
        yield Stream.of(false, true).map(backward -> NormCases.timed(size.rows(), size.width(), backward));
      }
      case "elementwise" -> {
        PaperShape size = PaperShape.of(name);
        yield Stream.of(ElementwiseCases.gelu((long) size.rows() * size.mlp()));
      }
      case "loss" -> {
        LossBenchmark.Size size = LossBenchmark.Size.of(name);
        yield Stream.of(LossCases.softmaxCrossEntropy(size.rows(), size.classes()));
      }
      case "optimizer" -> {
        Shapes.Model model = Shapes.model(name);
        yield Stream.of(OptimizerCases.adamW(model.mlp() * model.width()));
      }
      default -> Stream.empty();
    };
  }
}
