package dev.fovea.kernels.cpu;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import com.sun.management.HotSpotDiagnosticMXBean;
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
import java.lang.management.ManagementFactory;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Kernels on vectors allocate nothing once they are compiled. Vectors are objects until the optimizing compiler has
 * seen them, so this runs in a JVM of its own that compiles in the foreground ({@code -Xbatch}): what is compiled, and
 * when, then depends on these calls alone and not on the load of the machine.
 */
class AllocationTest {
  @BeforeAll
  static void compilesInTheForeground() {
    var jvm = ManagementFactory.getPlatformMXBean(HotSpotDiagnosticMXBean.class);
    assumeFalse(Boolean.parseBoolean(jvm.getVMOption("BackgroundCompilation").getValue()), "runs with -Xbatch only");
  }

  @TestFactory
  Stream<DynamicTest> nothingOnceCompiled() {
    return Stream.of(
            cases(GemmCases.timed().skip(3).limit(1), ".*"),
            // At a size that models have: in loops of a few turns C2 keeps a vector boxed now and then.
            cases(AttentionCases.timed(), ".* 1x12, 197.*"),
            cases(NormCases.all(), ".*layer 196x1x72.* dWeight dBias F32"),
            cases(RowCases.all(), ".*residualGradient 257x72 F32 columnScale rowScale with dScale"),
            cases(ElementwiseCases.all(), ".*activation(Gradient)? GELU_(TANH|ERF) 5003 F32 F32"),
            cases(CastCases.all(), ".* 70001.*|.* 5003.*"),
            cases(ImageCases.all(), ".*14x14 channels last, (U8|F32).* to F32"),
            cases(ReduceCases.all(), ".* (1025|257x72.*)"),
            cases(LossCases.all(), ".*Entropy 5x197 of 1.0, .*F32 to BF16.*"),
            cases(TokenCases.all(), ".*(assemble.*17x.*ALL, F32 . F32 |scatterAdd 7 .*F32 to F32).*"),
            cases(OptimizerCases.all(), ".* 2051 .*"),
            cases(RandomCases.all(), ".*"))
        .flatMap(List::stream)
        .map(test -> DynamicTest.dynamicTest(test.toString(), () -> Launches.allocatesNothingOnceCompiled(test)));
  }

  private static List<KernelCase> cases(Stream<KernelCase> all, String pattern) {
    List<KernelCase> chosen =
        all.filter(test -> test.toString().matches(pattern)).toList();
    assertFalse(chosen.isEmpty(), () -> "no case matches " + pattern);
    return chosen;
  }
}
