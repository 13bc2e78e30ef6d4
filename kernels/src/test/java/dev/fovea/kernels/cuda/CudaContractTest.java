package dev.fovea.kernels.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
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
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestInfo;

/**
 * The portable kernels against the contract, executed by the PTX machine. Of the cases that CPU devices run it takes
 * those that a machine so slow can: a limit of bytes and operations for each family.
 */
class CudaContractTest {
  private static final KernelSet REFERENCE = new ReferenceKernels();
  private static final KernelSet CPU = CpuKernels.create(1);

  /** Kernels that ran, and the methods of this class that did. */
  private static final Set<String> LAUNCHED = ConcurrentHashMap.newKeySet();

  private static final Set<String> RAN = ConcurrentHashMap.newKeySet();

  @BeforeAll
  static void theBuildCompiledKernels() {
    assumeTrue(new KernelBinary("gemm").ptx() != null, "the build found no nvcc, so there are no GPU kernels to run");
  }

  @BeforeEach
  void remember(TestInfo test) {
    RAN.add(test.getTestMethod().orElseThrow().getName());
  }

  /** Nothing is built that these cases never launch; said of a run of all of them only. */
  @AfterAll
  static void everyKernelWasLaunched() {
    long factories = Arrays.stream(CudaContractTest.class.getDeclaredMethods())
        .filter(method -> method.isAnnotationPresent(TestFactory.class))
        .count();
    KernelBuild build = KernelBuild.find();
    if (RAN.size() < factories || build == null) {
      return;
    }
    Set<String> missed = new TreeSet<>();
    for (KernelBuild.Family family : build.families()) {
      byte[] ptx = new KernelBinary(family.name()).ptx();
      if (ptx != null && new String(ptx, StandardCharsets.UTF_8).contains(".target sm_80")) {
        missed.addAll(family.kernels());
      }
    }
    missed.removeAll(LAUNCHED);
    assertEquals(Set.of(), missed, "kernels that no case launched");
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
      driver.launches().forEach(launch -> LAUNCHED.add(launch.kernel()));
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
