package dev.fovea.kernels.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fovea.kernels.contract.Contract;
import dev.fovea.kernels.contract.GemmCases;
import dev.fovea.kernels.contract.KernelCase;
import dev.fovea.kernels.ptx.PtxDriver;
import dev.fovea.kernels.ptx.PtxLaunch;
import dev.fovea.kernels.ptx.PtxOptions;
import dev.fovea.kernels.reference.ReferenceKernels;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/**
 * Products of {@code gemm_hopper.cu} against the contract, executed by the PTX machine as a device of compute
 * capability 9.0 and one or two multiprocessors: so few that every product is worth their tiles, and that blocks make
 * several.
 */
class HopperGemmContractTest {
  private static final String FAMILY = "gemm_hopper";
  private static final Set<String> LAUNCHED = ConcurrentHashMap.newKeySet();

  @BeforeAll
  static void theBuildCompiledKernels() {
    assumeTrue(new KernelBinary(FAMILY).ptx() != null, "the build found no nvcc, so there are no GPU kernels to run");
  }

  /** Said of a run of all cases only. */
  @AfterAll
  static void everyKernelWasLaunched() {
    KernelBuild build = KernelBuild.find();
    if (build != null && LAUNCHED.contains("all")) {
      Set<String> missed = new TreeSet<>();
      build.families().stream()
          .filter(family -> family.name().equals(FAMILY))
          .forEach(family -> missed.addAll(family.kernels()));
      missed.removeAll(LAUNCHED);
      assertEquals(Set.of(), missed, "kernels that no case launched");
    }
  }

  @TestFactory
  Stream<DynamicTest> contract() {
    Stream<DynamicTest> cases =
        GemmCases.warpgroups().map(test -> DynamicTest.dynamicTest(test.toString(), () -> check(test)));
    return Stream.concat(cases, Stream.of(DynamicTest.dynamicTest("all", () -> LAUNCHED.add("all"))));
  }

  /** Weights' gradients of few tiles are split along k, and keep their bits whatever block finishes last. */
  @TestFactory
  Stream<DynamicTest> splitsWhatLeavesMultiprocessorsIdle() {
    return Stream.of(1, 2, 3).map(i -> {
      KernelCase test = GemmCases.deep().toList().get(List.of(4, 6, 7).get(i - 1));
      return DynamicTest.dynamicTest(test.toString(), () -> checkTwice(test));
    });
  }

  @Test
  void leavesFewTilesToPortableKernels() {
    KernelCase test = GemmCases.warpgroups().findFirst().orElseThrow();
    assertEquals(List.of("gemm_hopper_nn_128x128"), kernels(test, CudaTier.HOPPER, 2));
    assertEquals(List.of("gemm_bf16_nn_64x64"), kernels(test, CudaTier.HOPPER, 3));
    assertEquals(List.of("gemm_bf16_nn_128x128"), kernels(test, CudaTier.PORTABLE, 1));
  }

  private static List<String> kernels(KernelCase test, CudaTier tier, int multiprocessors) {
    PtxOptions options = PtxOptions.hopper().withMultiprocessors(multiprocessors);
    try (PtxDriver driver = new PtxDriver(options);
        CudaKernels kernels = CudaKernels.over(driver, 0, tier)) {
      Contract.check(test, new ReferenceKernels(), kernels, driver, 0, false);
      return driver.launches().stream().map(PtxLaunch::kernel).distinct().toList();
    }
  }

  private static void checkTwice(KernelCase test) {
    PtxOptions options = PtxOptions.hopper().withMultiprocessors(4);
    try (PtxDriver inOrder = new PtxDriver(options.withThreads(1));
        PtxDriver inAnyOrder = new PtxDriver(options.withThreads(3));
        CudaKernels first = CudaKernels.over(inOrder, 0);
        CudaKernels second = CudaKernels.over(inAnyOrder, 0)) {
      Contract.check(test, new ReferenceKernels(), second, inAnyOrder, 0, false);
      Contract.sameBits(test, first, inOrder, second, inAnyOrder);
      inOrder.launches().forEach(launch -> {
        assertTrue(launch.kernel().startsWith("gemm_hopper_tn_"), launch.kernel());
        assertTrue(launch.grid().getFirst() > 1, "blocks");
      });
    }
  }

  private static void check(KernelCase test) {
    try (PtxDriver driver = new PtxDriver(PtxOptions.hopper().withMultiprocessors(1));
        CudaKernels kernels = CudaKernels.over(driver, 0)) {
      Contract.check(test, new ReferenceKernels(), kernels, driver, 0, false);
      driver.launches().forEach(launch -> {
        assertTrue(launch.kernel().startsWith(FAMILY), launch.kernel());
        LAUNCHED.add(launch.kernel());
      });
    }
  }
}
