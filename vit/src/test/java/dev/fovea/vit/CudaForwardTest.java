package dev.fovea.vit;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.cuda.KernelBinary;
import dev.fovea.kernels.ptx.PtxDriver;
import dev.fovea.tensor.CudaDevice;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.io.TensorFile;
import dev.fovea.vit.model.VisionTransformer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/**
 * Other libraries' models forward on GPU kernels, which the PTX machine executes: in F32, and in BF16 from weights to
 * logits.
 */
final class CudaForwardTest {
  private static final double TOLERANCE = 1e-5;

  /** BF16 has 8 bits: a few roundings of the largest value, after some layers. */
  private static final double BF16_TOLERANCE = 4e-2;

  @BeforeAll
  static void theBuildCompiledKernels() {
    assumeTrue(new KernelBinary("gemm").ptx() != null, "the build found no nvcc, so there are no GPU kernels to run");
  }

  @TestFactory
  Stream<DynamicTest> ownCases() throws IOException {
    return FixtureContractTest.cases(FixtureContractTest.OWN, CudaForwardTest::check);
  }

  @TestFactory
  Stream<DynamicTest> casesBesideTheRepository() throws IOException {
    Path folder = FixtureContractTest.beside();
    assumeTrue(folder != null, "no shared/fixtures beside the repository");
    return FixtureContractTest.cases(folder, CudaForwardTest::check);
  }

  private static void check(Path folder) throws IOException {
    try (TensorFile input = TensorFile.open(folder.resolve("input.safetensors"));
        TensorFile expected = TensorFile.open(folder.resolve("expected.safetensors"));
        CudaDevice device = CudaDevice.over(new PtxDriver());
        Vit vit = Vit.load(folder, device)) {
      compare(expected, Verification.outputs(vit, input, null), TOLERANCE);
      compare(expected, inBf16(vit, input, device), BF16_TOLERANCE);
    }
  }

  private static Map<String, Verification.Values> inBf16(Vit vit, TensorFile input, CudaDevice device)
      throws IOException {
    Map<String, Verification.Values> found = new HashMap<>();
    try (Scope scope = Scope.open(device)) {
      Map<String, Tensor> parameters = new LinkedHashMap<>();
      vit.model().parameters().forEach((name, tensor) -> parameters.put(name, tensor.to(DType.BF16)));
      try (VisionTransformer model = new VisionTransformer(vit.config(), parameters)) {
        Tensor pixels = input.load("pixel_values", DType.F32).to(DType.BF16);
        Verification.put(found, model.forward(pixels));
      }
    }
    return found;
  }

  private static void compare(TensorFile expected, Map<String, Verification.Values> found, double tolerance)
      throws IOException {
    boolean any = false;
    for (String name : expected.names()) {
      Verification.Values values = found.get(name);
      if (values != null) {
        try (Scope scope = Scope.open();
            Tensor wanted = expected.load(name, DType.F32)) {
          Verification.Result result = Verification.compare(name, Verification.Values.of(wanted), values, 0);
          assertTrue(result.within(tolerance), result.toString());
        }
        any = true;
      }
    }
    assertTrue(any, "nothing to compare");
  }
}
