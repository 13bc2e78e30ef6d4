package dev.fovea.bench;

import dev.fovea.kernels.contract.AttentionCases;
import dev.fovea.kernels.contract.ElementwiseCases;
import dev.fovea.kernels.contract.GemmCases;
import dev.fovea.kernels.contract.ImageCases;
import dev.fovea.kernels.contract.KernelCase;
import dev.fovea.kernels.contract.LossCases;
import dev.fovea.kernels.contract.NormCases;
import dev.fovea.kernels.contract.OptimizerCases;
import dev.fovea.kernels.contract.RandomCases;
import dev.fovea.kernels.contract.ReduceCases;
import dev.fovea.kernels.contract.TokenCases;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The contract's cases of realistic size. */
final class TimedCases {
  private TimedCases() {}

  static Stream<KernelCase> all() {
    return Stream.of(
            GemmCases.timed(),
            AttentionCases.timed(),
            NormCases.timed(),
            ElementwiseCases.timed(),
            ReduceCases.timed(),
            LossCases.timed(),
            OptimizerCases.timed(),
            TokenCases.timed(),
            ImageCases.timed(),
            RandomCases.timed())
        .flatMap(cases -> cases);
  }

  static KernelCase named(String name) {
    return all()
        .filter(test -> test.toString().equals(name))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("test: got %s, expected one of%n%s"
            .formatted(name, all().map(KernelCase::toString).collect(Collectors.joining("\n")))));
  }
}
