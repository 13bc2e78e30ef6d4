package dev.fovea.vit;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.cuda.KernelBinary;
import dev.fovea.kernels.ptx.PtxDriver;
import dev.fovea.kernels.ptx.PtxLaunch;
import dev.fovea.tensor.CudaDevice;
import dev.fovea.tensor.Device;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.io.TensorFile;
import dev.fovea.vit.model.Initialisation;
import dev.fovea.vit.model.VisionTransformer;
import dev.fovea.vit.model.VitConfig;
import java.io.IOException;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The models of {@link FixtureContractTest} forward on GPU kernels, which the PTX machine executes: in F32, and in BF16
 * from weights to logits, there {@linkplain Vit#frozen frozen}. The machine is slow: it gets one picture.
 */
final class CudaForwardTest {
  private static final double TOLERANCE = 1e-5;

  /** BF16 has 8 bits: a few roundings of the largest value, after some layers. */
  private static final double BF16_TOLERANCE = 2e-2;

  @BeforeAll
  static void theBuildCompiledKernels() {
    assumeTrue(new KernelBinary("gemm").ptx() != null, "the build found no nvcc, so there are no GPU kernels to run");
  }

  @TestFactory
  Stream<DynamicTest> ownCases() throws IOException {
    return cases(FixtureContractTest.OWN);
  }

  @TestFactory
  Stream<DynamicTest> madeCases() throws IOException {
    return cases(FixtureContractTest.OWN.resolve("made"));
  }

  @TestFactory
  Stream<DynamicTest> casesBesideTheRepository() throws IOException {
    Path folder = FixtureContractTest.beside();
    assumeTrue(folder != null, "no shared/fixtures beside the repository");
    return cases(folder);
  }

  private static Stream<DynamicTest> cases(Path folder) throws IOException {
    return FixtureContractTest.cases(folder, at -> {
      check(at, DType.F32, TOLERANCE);
      check(at, DType.BF16, BF16_TOLERANCE);
    });
  }

  private static void check(Path folder, DType dtype, double tolerance) throws IOException {
    try (TensorFile input = TensorFile.open(folder.resolve("input.safetensors"));
        TensorFile expected = TensorFile.open(folder.resolve("expected.safetensors"));
        CudaDevice device = CudaDevice.over(new PtxDriver());
        Vit vit = load(folder, device, dtype)) {
      assertEquals(dtype, vit.model().parameters().values().iterator().next().dtype());
      compare(expected, outputs(vit, input), dtype, tolerance);
    }
  }

  private static Vit load(Path folder, CudaDevice device, DType dtype) throws IOException {
    Vit vit = Vit.load(folder, device, dtype);
    return dtype == DType.F32 ? vit : vit.frozen();
  }

  private static Map<String, Verification.Values> outputs(Vit vit, TensorFile input) throws IOException {
    Map<String, Verification.Values> found = new HashMap<>();
    try (Scope scope = Scope.open(vit.device())) {
      Tensor pixels = input.load("pixel_values", DType.F32).narrow(0, 1);
      Verification.put(found, vit.forward(pixels));
    }
    return found;
  }

  private static void compare(
      TensorFile expected, Map<String, Verification.Values> found, DType dtype, double tolerance) throws IOException {
    int compared = 0;
    for (String name : expected.names()) {
      Verification.Values values = found.get(name);
      if (values != null) {
        try (Scope scope = Scope.open(Device.cpu())) {
          Tensor wanted = expected.load(name, DType.F32).narrow(0, 1);
          Verification.Result result = Verification.compare(name, Verification.Values.of(wanted), values, 0);
          assertTrue(result.within(tolerance), dtype + ": " + result);
        }
        compared++;
      }
    }
    assertTrue(compared > 0, "nothing to compare");
  }

  @ParameterizedTest
  @CsvSource({"PARALLEL, 4", "SEQUENTIAL, 7", "THINGS, 14"})
  void blocksTakeSoManyLaunches(VitConfig.Block block, int expected) {
    VitConfig config = VitConfig.builder()
        .image(16)
        .patch(8)
        .shape(32, 1, 64, 2)
        .block(block)
        .branches(block == VitConfig.Block.THINGS ? 2 : 1)
        .classToken(true)
        .qkNorm(VitConfig.Norm.layer(1e-6f))
        .layerScale(true)
        .classes(5)
        .build();
    List<String> one = kernels(config);
    List<String> two = kernels(config.toBuilder().depth(2).build());
    assertEquals(expected, two.size() - one.size(), two.toString());
  }

  /** The kernels of a forward pass, in order. */
  private static List<String> kernels(VitConfig config) {
    var driver = new PtxDriver();
    try (CudaDevice device = CudaDevice.over(driver);
        VisionTransformer model =
            VisionTransformer.create(config, Initialisation.of(1), device).frozen();
        Scope scope = Scope.open(device)) {
      Tensor pixels = Tensor.zeros(Shape.of(1, 3, config.imageHeight(), config.imageWidth()), DType.F32);
      device.synchronize();
      driver.clearLaunches();
      model.forward(pixels);
      device.synchronize();
      return driver.launches().stream().map(PtxLaunch::kernel).toList();
    }
  }
}
