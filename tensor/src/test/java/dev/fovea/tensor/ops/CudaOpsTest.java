package dev.fovea.tensor.ops;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.ptx.PtxDriver;
import dev.fovea.kernels.ptx.PtxLaunch;
import dev.fovea.tensor.CudaDevice;
import dev.fovea.tensor.Device;
import dev.fovea.tensor.Devices;
import dev.fovea.tensor.Recompute;
import dev.fovea.tensor.ReferenceDevice;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tape;
import dev.fovea.tensor.Tensor;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every operation forward on GPU kernels, which the PTX machine executes, and how many kernels a block takes. */
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

  static List<GradientCases.Case> losses() {
    return GradientCases.all().stream().filter(CudaOpsTest::isLoss).toList();
  }

  private static boolean isLoss(GradientCases.Case test) {
    return test.name().endsWith("CrossEntropy");
  }

  @ParameterizedTest
  @MethodSource("cases")
  void isTheSameOnCuda(GradientCases.Case test) {
    double[][] values = GradientTest.draw(test);
    GradientTest.round(values, DType.F32);
    compare(test, values, DType.F32, 1e-5);
    GradientTest.round(values, DType.BF16);
    compare(test, values, DType.BF16, 4e-2);
  }

  private static void compare(GradientCases.Case test, double[][] values, DType dtype, double tolerance) {
    double[] expected = forward(test, ReferenceDevice.INSTANCE, DType.F64, values);
    GradientTest.close("result in " + dtype, expected, forward(test, device, dtype, values), tolerance);
    assertEquals(0, device.memory().current(), "bytes left");
  }

  private static double[] forward(GradientCases.Case test, Device on, DType dtype, double[][] values) {
    try (Scope scope = Scope.open(on)) {
      return GradientTest.read(test.function().apply(GradientTest.operands(test, dtype, values)));
    }
  }

  @ParameterizedTest
  @MethodSource("losses")
  void lossesHaveTheSameGradientsOnCuda(GradientCases.Case test) {
    double[][] values = GradientTest.draw(test);
    GradientTest.round(values, DType.F32);
    GradientTest.compare(test, device, values, DType.F32, 1e-5);
    GradientTest.round(values, DType.BF16);
    GradientTest.compare(test, device, values, DType.BF16, 4e-2);
    assertEquals(0, device.memory().current(), "bytes left");
  }

  @Test
  void gradientsSayThatTheyDoNotRunThere() {
    saysSo("the gradient of attention", x -> Ops.attention(x, 2));
  }

  private static void saysSo(String operation, Function<Tensor, Tensor> function) {
    try (Scope scope = Scope.open(device);
        Tape tape = Tape.record(Recompute.NONE)) {
      Tensor x = Tensor.zeros(Shape.of(1, 3, 12), DType.F32).trainable();
      Tensor y = function.apply(x);
      Tensor dy = Tensor.zeros(y.shape(), DType.F32);
      var e = assertThrows(UnsupportedOperationException.class, () -> tape.backward(y, dy));
      assertEquals(operation + " does not run on cuda:0 (PTX machine) yet: use Device.cpu() for it", e.getMessage());
    }
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
