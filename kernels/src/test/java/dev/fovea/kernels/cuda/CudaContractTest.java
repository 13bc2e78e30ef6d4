package dev.fovea.kernels.cuda;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fovea.kernels.KernelSet;
import dev.fovea.kernels.contract.AttentionCases;
import dev.fovea.kernels.contract.CastCases;
import dev.fovea.kernels.contract.Contract;
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
import dev.fovea.kernels.cpu.CpuKernels;
import dev.fovea.kernels.ptx.PtxDriver;
import dev.fovea.kernels.reference.ReferenceKernels;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * The portable kernels against the contract, executed by the PTX machine. Of the cases that CPU devices run it takes
 * those that a machine so slow can: a limit of bytes and operations for each family.
 */
class CudaContractTest {
  private static final KernelSet REFERENCE = new ReferenceKernels();
  private static final KernelSet CPU = CpuKernels.create(1);

  @BeforeAll
  static void theBuildCompiledKernels() {
    assumeTrue(new KernelBinary("gemm").ptx() != null, "the build found no nvcc, so there are no GPU kernels to run");
  }

  private static Stream<DynamicTest> contract(Stream<KernelCase> cases, double mostBytes, double mostFlops) {
    return cases
        .filter(test -> test.bytes() <= mostBytes && test.flops() <= mostFlops)
        .map(test -> DynamicTest.dynamicTest(test.toString(), () -> check(test)));
  }

  private static void check(KernelCase test) {
    try (PtxDriver driver = new PtxDriver();
        CudaKernels kernels = CudaKernels.over(driver, 0)) {
      Contract.check(test, REFERENCE, kernels, driver, 0, false);
    }
  }

  /** Functions of one number, optimizer steps and random numbers are the CPU's, bit for bit. */
  @TestFactory
  Stream<DynamicTest> sameBitsAsOnCpu() {
    return Stream.of(
            ElementwiseCases.all().filter(test -> test.kernel().startsWith("elementwise.activation")),
            OptimizerCases.all().filter(test -> !test.kernel().equals("optimizer.adafactor")),
            OptimizerCases.many().filter(test -> !test.kernel().startsWith("optimizer.adafactor ")),
            RandomCases.all())
        .flatMap(cases -> cases)
        .filter(test -> test.bytes() >= 1000 && test.bytes() <= 5e4)
        .map(test -> DynamicTest.dynamicTest(test.toString(), () -> {
          try (PtxDriver driver = new PtxDriver();
              CudaKernels kernels = CudaKernels.over(driver, 0)) {
            Contract.sameBits(test, CPU, kernels, driver, 0);
          }
        }));
  }

  @TestFactory
  Stream<DynamicTest> gemm() {
    return contract(GemmCases.all(), 4e6, 2e7);
  }

  @TestFactory
  Stream<DynamicTest> attention() {
    return contract(AttentionCases.all(), Double.MAX_VALUE, Double.MAX_VALUE);
  }

  @TestFactory
  Stream<DynamicTest> norm() {
    return contract(NormCases.all(), 1e6, 0);
  }

  @TestFactory
  Stream<DynamicTest> elementwise() {
    return contract(Stream.concat(ElementwiseCases.all(), RowCases.all()), 3e5, 0);
  }

  @TestFactory
  Stream<DynamicTest> casts() {
    return contract(CastCases.all(), 1e5, 0);
  }

  @TestFactory
  Stream<DynamicTest> reduce() {
    return contract(ReduceCases.all(), 6e5, 0);
  }

  @TestFactory
  Stream<DynamicTest> loss() {
    return contract(LossCases.all(), 1.8e5, 0);
  }

  @TestFactory
  Stream<DynamicTest> optimizer() {
    return contract(Stream.concat(OptimizerCases.all(), OptimizerCases.many()), 4e5, 0);
  }

  @TestFactory
  Stream<DynamicTest> token() {
    return contract(TokenCases.all(), 1e6, 0);
  }

  @TestFactory
  Stream<DynamicTest> image() {
    return contract(ImageCases.all(), 1e6, 0);
  }

  @TestFactory
  Stream<DynamicTest> random() {
    return contract(RandomCases.all(), 1e5, 0);
  }
}
