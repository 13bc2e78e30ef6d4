package dev.fovea.tensor.ops;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.ptx.PtxDriver;
import dev.fovea.kernels.ptx.PtxLaunch;
import dev.fovea.tensor.CudaDevice;
import dev.fovea.tensor.Devices;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Tensor;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every operation and its gradient on GPU kernels, which the PTX machine executes, and how many kernels a block takes.
 */
final class CudaOpsTest {
  private static PtxDriver driver;
  private static CudaDevice device;

  @BeforeAll
  static void open() {
    Devices.assumeCompiledKernels();
    driver = new PtxDriver();
    device = CudaDevice.over(driver);
  }

  @AfterAll
  static void close() {
    if (device != null) {
      device.close();
    }
  }

  static List<GradientCases.Case> cases() {
    return GradientCases.all();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void isTheSameOnCuda(GradientCases.Case test) {
    double[][] values = GradientTest.draw(test);
    GradientTest.round(values, DType.F32);
    GradientTest.compare(test, device, values, DType.F32, 1e-5);
    GradientTest.round(values, DType.BF16);
    GradientTest.compare(test, device, values, DType.BF16, 4e-2);
    assertEquals(0, device.memory().current(), "bytes left");
  }

  @Test
  void aParallelBlockIsFourLaunches() {
    List<String> kernels = kernels("parallel block");
    assertEquals(4, kernels.size(), kernels.toString());
    assertTrue(kernels.get(2).startsWith("attention"), kernels.toString());
  }

  @Test
  void aSequentialBlockIsSevenLaunches() {
    List<String> kernels = kernels("sequential block");
    assertEquals(7, kernels.size(), kernels.toString());
  }

  private static List<String> kernels(String name) {
    GradientCases.Case test =
        cases().stream().filter(one -> one.name().equals(name)).findFirst().orElseThrow();
    double[][] values = GradientTest.draw(test);
    try (Scope scope = Scope.open(device)) {
      List<Tensor> operands = GradientTest.operands(test, DType.BF16, values);
      driver.clearLaunches();
      assertEquals(operands.getFirst().shape(), test.function().apply(operands).shape());
      device.synchronize();
      return driver.launches().stream().map(PtxLaunch::kernel).toList();
    }
  }

  @Test
  void weightsAreNotPacked() {
    try (Scope scope = Scope.open(device)) {
      Tensor weight = Tensor.of(new float[] {1, 2, 3, 4, 5, 6}, 2, 3);
      assertFalse(weight.packed().isPacked());
      Tensor x = Tensor.of(new float[] {1, 0, -1}, 1, 3);
      assertEquals(
          "F32 [1, 2] on cuda:0: -2.0, -2.0",
          Linear.of(x, weight.packed()).apply().toString());
    }
  }
}
