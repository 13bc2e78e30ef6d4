package dev.fovea.kernels.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fovea.kernels.contract.Contract;
import dev.fovea.kernels.contract.GemmCases;
import dev.fovea.kernels.contract.KernelCase;
import dev.fovea.kernels.ptx.PtxDriver;
import dev.fovea.kernels.ptx.PtxOptions;
import dev.fovea.kernels.reference.ReferenceKernels;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** Weights' gradients are split along k where that fills a GPU, and keep their bits whatever block finishes last. */
class CudaSplitTest {
  @BeforeAll
  static void theBuildCompiledKernels() {
    assumeTrue(new KernelBinary("gemm").ptx() != null, "the build found no nvcc, so there are no GPU kernels to run");
  }

  /** Blocks that sum A over a stretch of k + tiles x pieces of k, on a GPU that fits all pieces that are worth it. */
  @TestFactory
  Stream<DynamicTest> splitsWhatLeavesMultiprocessorsIdle() {
    List<KernelCase> cases = GemmCases.deep().toList();
    List<String> launches = List.of(
        "gemm_f32_tn_64x128 " + (4 + 2 * 3),
        "gemm_f32_tn_64x128 " + 2 * 2,
        "gemm_f32_tn_64x128 " + (6 + 4 * 2),
        "gemm_f32_tn_64x128 " + 4,
        "gemm_bf16_tn_64x64 " + (4 + 2 * 3),
        "gemm_bf16_tn_64x128_any " + 2 * 2,
        "gemm_bf16_tn_64x64 " + (6 + 4 * 2),
        "gemm_bf16_tn_64x64 " + 4);
    assertEquals(cases.size(), launches.size());
    return IntStream.range(0, cases.size()).mapToObj(i -> test(cases.get(i), 8, launches.get(i)));
  }

  /** On a GPU of one multiprocessor: no more pieces than it has room for. */
  @TestFactory
  Stream<DynamicTest> splitsIntoAsManyBlocksAsFit() {
    List<KernelCase> cases = GemmCases.deep().toList();
    return Stream.of(
        test(cases.get(1), 1, "gemm_f32_tn_64x128 2"), test(cases.get(4), 1, "gemm_bf16_tn_128x128 " + (4 + 2)));
  }

  private static DynamicTest test(KernelCase test, int multiprocessors, String expected) {
    return DynamicTest.dynamicTest(test.toString(), () -> check(test, multiprocessors, expected));
  }

  private static void check(KernelCase test, int multiprocessors, String expected) {
    PtxOptions options = PtxOptions.standard().withMultiprocessors(multiprocessors);
    try (PtxDriver inOrder = new PtxDriver(options.withThreads(1));
        PtxDriver inAnyOrder = new PtxDriver(options.withThreads(3));
        CudaKernels first = CudaKernels.over(inOrder, 0);
        CudaKernels second = CudaKernels.over(inAnyOrder, 0)) {
      Contract.check(test, new ReferenceKernels(), second, inAnyOrder, 0, false);
      Contract.sameBits(test, first, inOrder, second, inAnyOrder);
      inAnyOrder
          .launches()
          .forEach(launch ->
              assertEquals(expected, launch.kernel() + " " + launch.grid().getFirst()));
    }
  }
}
