package dev.fovea.bench.gpu;

import static dev.fovea.kernels.DType.BF16;

import dev.fovea.bench.kernel.PaperCases;
import dev.fovea.kernels.contract.AttentionCases;
import dev.fovea.kernels.contract.CastCases;
import dev.fovea.kernels.contract.ElementwiseCases;
import dev.fovea.kernels.contract.GemmCases;
import dev.fovea.kernels.contract.ImageCases;
import dev.fovea.kernels.contract.KernelCase;
import dev.fovea.kernels.contract.LossCases;
import dev.fovea.kernels.contract.NormCases;
import dev.fovea.kernels.contract.OptimizerCases;
import dev.fovea.kernels.contract.RandomCases;
import dev.fovea.kernels.contract.ReduceCases;
import dev.fovea.kernels.contract.RowCases;
import dev.fovea.kernels.contract.TokenCases;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Stream;

/** The contract's cases by family, in the order of their importance. */
enum CaseFamily {
  GEMM,
  ATTENTION,
  NORM,
  ELEMENTWISE,
  ROWS,
  CASTS,
  TOKEN,
  IMAGE,
  REDUCE,
  RANDOM,
  LOSS,
  OPTIMIZER;

  /** What its tests check. */
  Stream<KernelCase> checked() {
    return switch (this) {
      case GEMM -> Stream.concat(GemmCases.all(), GemmCases.manyTiles());
      case ATTENTION -> AttentionCases.all();
      case NORM -> NormCases.all();
      case ELEMENTWISE -> ElementwiseCases.all();
      case ROWS -> RowCases.all();
      case CASTS -> CastCases.all();
      case TOKEN -> TokenCases.all();
      case IMAGE -> ImageCases.all();
      case REDUCE -> ReduceCases.all();
      case RANDOM -> RandomCases.all();
      case LOSS -> LossCases.all();
      case OPTIMIZER -> OptimizerCases.all();
    };
  }

  /** What is timed: what the contract offers, and the papers' shapes that are not among that. */
  Stream<KernelCase> timed() {
    Map<String, KernelCase> cases = new LinkedHashMap<>();
    Stream.concat(ofContract(), PaperCases.of(toString())).forEach(test -> cases.putIfAbsent(test.toString(), test));
    return cases.values().stream();
  }

  private Stream<KernelCase> ofContract() {
    return switch (this) {
      case GEMM -> Stream.concat(GemmCases.timed(BF16), GemmCases.timed());
      case ATTENTION -> Stream.concat(AttentionCases.timed(BF16), AttentionCases.timed());
      case NORM -> NormCases.timed();
      case ELEMENTWISE -> ElementwiseCases.timed();
      case ROWS -> RowCases.timed();
      case CASTS -> CastCases.timed();
      case TOKEN -> TokenCases.timed();
      case IMAGE -> ImageCases.timed();
      case REDUCE -> ReduceCases.timed();
      case RANDOM -> RandomCases.timed();
      case LOSS -> LossCases.timed();
      case OPTIMIZER -> OptimizerCases.timed();
    };
  }

  static CaseFamily named(String name) {
    return valueOf(name.toUpperCase(Locale.ROOT));
  }

  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
