package dev.fovea.vit.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.cuda.KernelBinary;
import dev.fovea.kernels.ptx.PtxDriver;
import dev.fovea.kernels.ptx.PtxLaunch;
import dev.fovea.tensor.CudaDevice;
import dev.fovea.tensor.Device;
import dev.fovea.tensor.Gradients;
import dev.fovea.tensor.Recompute;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.ops.Ops;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.function.Function;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/**
 * An optimizer's step is one launch per kind for all parameters, also where what computes is their rounding, and can be
 * recorded.
 */
final class OptimizerLaunchesTest {
  @BeforeAll
  static void theBuildCompiledKernels() {
    assumeTrue(new KernelBinary("optimizer").ptx() != null, "the build found no nvcc, so there are no GPU kernels");
  }

  @Test
  void adamW() {
    assertEquals(List.of("adamw_step"), launches(list -> new AdamW(list, AdamW.Settings.DEFAULT)));
  }

  @Test
  void sgd() {
    assertEquals(List.of("sgd_step"), launches(list -> new Sgd(list, Sgd.Settings.DEFAULT)));
  }

  /** The factored second moment needs its rows and columns complete before it is used. */
  @Test
  void adafactor() {
    Factoring factoring = (name, shape) -> Factoring.plain(shape);
    assertEquals(
        List.of("adafactor_step", "adafactor_measure", "adafactor_factors", "adafactor_update"),
        launches(list -> new Adafactor(list, Adafactor.Settings.DEFAULT, factoring)));
  }

  /** Squares of all gradients, their sum, and what it is to be divided by. */
  @Test
  void globalNorm() {
    var driver = new PtxDriver();
    try (CudaDevice device = CudaDevice.over(driver);
        Scope scope = Scope.open(device);
        Tape tape = Tape.record(Recompute.NONE)) {
      List<Parameter> parameters = parameters();
      try (Gradients gradients = tape.backward(loss(parameters))) {
        device.synchronize();
        driver.clearLaunches();
        GlobalNorm.clipFactor(GlobalNorm.sumOfSquares(parameters, gradients), 1);
        device.synchronize();
        assertEquals(
            List.of("fold_squares", "fold", "clip_factor"),
            names(driver).stream().filter(name -> !name.startsWith("fill")).toList());
      }
    }
  }

  /** Values in the device's memory and values in the arguments lead to the same parameters, bit for bit. */
  @Test
  void aStepThatReadsItsValues() {
    for (Function<List<Parameter>, Optimizer> made : List.<Function<List<Parameter>, Optimizer>>of(
        list -> new AdamW(list, AdamW.Settings.DEFAULT),
        list -> new Sgd(list, Sgd.Settings.DEFAULT),
        list -> new Adafactor(list, Adafactor.Settings.DEFAULT, (name, shape) -> Factoring.plain(shape)))) {
      List<float[]> given = after(made, false);
      List<float[]> read = after(made, true);
      for (int i = 0; i < given.size(); i++) {
        assertArrayEquals(given.get(i), read.get(i));
      }
    }
  }

  private static List<float[]> after(Function<List<Parameter>, Optimizer> made, boolean inMemory) {
    try (Scope scope = Scope.open(Device.cpu())) {
      List<Parameter> parameters = parameters();
      try (Optimizer optimizer = made.apply(parameters)) {
        for (int step = 1; step <= 3; step++) {
          double rate = 0.1 / step;
          try (Tape tape = Tape.record(Recompute.NONE);
              Gradients gradients = tape.backward(loss(parameters))) {
            if (inMemory) {
              optimizer.step(gradients, null, Tensor.of(optimizer.values(rate, step), 6));
            } else {
              optimizer.step(gradients, null, rate, step);
            }
          }
        }
      }
      return parameters.stream().map(parameter -> parameter.value().toFloats()).toList();
    }
  }

  /** The launches of a step, which are the same where parameters have masters: none of them is a cast. */
  private static List<String> launches(Function<List<Parameter>, Optimizer> made) {
    List<String> plain = launches(made, DType.F32);
    assertEquals(plain, launches(made, DType.BF16));
    return plain;
  }

  private static List<String> launches(Function<List<Parameter>, Optimizer> made, DType dtype) {
    var driver = new PtxDriver();
    try (CudaDevice device = CudaDevice.over(driver);
        Scope scope = Scope.open(device);
        Tape tape = Tape.record(Recompute.NONE)) {
      List<Parameter> parameters = parameters(dtype);
      try (Optimizer optimizer = made.apply(parameters);
          Gradients gradients = tape.backward(loss(parameters))) {
        device.synchronize();
        driver.clearLaunches();
        optimizer.step(gradients, null, 0.1, 1);
        device.synchronize();
        List<String> names = names(driver);
        for (Parameter parameter : parameters) {
          Tensor master = parameter.master();
          if (master != null) {
            assertArrayEquals(master.to(dtype).toFloats(), parameter.value().toFloats(), parameter.name());
            assertFalse(Arrays.equals(master.toFloats(), parameter.value().toFloats()), parameter.name());
          }
        }
        return names;
      }
    }
  }

  /** Matrices, which Adafactor factors, and vectors, which it does not. */
  private static List<Parameter> parameters() {
    return parameters(DType.F32);
  }

  /** The same as they compute in a dtype, with masters unless that is F32. */
  private static List<Parameter> parameters(DType dtype) {
    List<Parameter> parameters = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      Tensor matrix = Tensor.full(Shape.of(32 + i, 40), DType.F32, 0.1 * (i + 1));
      Tensor vector = Tensor.full(Shape.of(7 + i), DType.F32, -0.23);
      parameters.add(parameter("matrix" + i, matrix, dtype, 1, 0.01));
      parameters.add(parameter("vector" + i, vector, dtype, 0.5, 0));
    }
    return parameters;
  }

  private static Parameter parameter(String name, Tensor kept, DType dtype, double rate, double decay) {
    return dtype == DType.F32
        ? new Parameter(name, kept.trainable(), rate, decay)
        : new Parameter(name, kept.to(dtype).trainable(), kept, rate, decay);
  }

  private static Tensor loss(List<Parameter> parameters) {
    Tensor sum = null;
    for (Parameter parameter : parameters) {
      Tensor value = parameter.value();
      int count = Math.toIntExact(value.shape().count());
      Tensor row = Ops.scale(value.reshape(1, count), 2);
      Tensor one = Ops.sigmoidCrossEntropy(row, Tensor.zeros(Shape.of(1, count), DType.F32), 0);
      sum = sum == null ? one : Ops.add(sum, one);
    }
    return Objects.requireNonNull(sum);
  }

  private static List<String> names(PtxDriver driver) {
    return driver.launches().stream().map(PtxLaunch::kernel).toList();
  }
}
