package dev.fovea.tensor.ops;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.Device;
import dev.fovea.tensor.Gradients;
import dev.fovea.tensor.Recompute;
import dev.fovea.tensor.ReferenceDevice;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tape;
import dev.fovea.tensor.Tensor;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Every operation's gradient: in float64 on the reference kernels against central differences, and on the CPU kernels
 * against that, in F32 and BF16.
 */
final class GradientTest {
  private static final double STEP = 1e-5;

  static List<GradientCases.Case> cases() {
    return GradientCases.all();
  }

  @ParameterizedTest
  @MethodSource("cases")
  void agreesWithFiniteDifferences(GradientCases.Case test) {
    double[][] values = draw(test);
    Result exact = differentiate(test, ReferenceDevice.INSTANCE, DType.F64, values, Recompute.NONE);
    for (int input = 0; input < values.length; input++) {
      for (int i = 0; i < values[input].length; i++) {
        double value = values[input][i];
        values[input][i] = value + STEP;
        double up = weighted(test, values);
        values[input][i] = value - STEP;
        double down = weighted(test, values);
        values[input][i] = value;
        double difference = (up - down) / (2 * STEP);
        assertEquals(
            difference,
            exact.gradients[input][i],
            1e-7 * (1 + Math.abs(difference)),
            "d result / d operand %d [%d]".formatted(input, i));
      }
    }
  }

  @ParameterizedTest
  @MethodSource("cases")
  void isTheSameOnCpu(GradientCases.Case test) {
    double[][] values = draw(test);
    round(values, DType.F32);
    compare(test, Device.cpu(), values, DType.F32, 1e-5);
    round(values, DType.BF16);
    compare(test, Device.cpu(), values, DType.BF16, 4e-2);
  }

  @ParameterizedTest
  @MethodSource("cases")
  void isTheSameUnderEveryPolicy(GradientCases.Case test) {
    double[][] values = draw(test);
    for (DType dtype : new DType[] {DType.F32, DType.BF16}) {
      round(values, dtype);
      Result none = differentiate(test, Device.cpu(), dtype, values, Recompute.NONE);
      for (Recompute policy : Recompute.values()) {
        Result other = differentiate(test, Device.cpu(), dtype, values, policy);
        assertArrayEquals(none.result, other.result, policy + ": result");
        for (int i = 0; i < values.length; i++) {
          assertArrayEquals(none.gradients[i], other.gradients[i], policy + ": gradient " + i);
        }
      }
    }
  }

  /** Result and gradients on {@code device} against those in float64 on the reference kernels. */
  static void compare(GradientCases.Case test, Device device, double[][] values, DType dtype, double tolerance) {
    Result exact = differentiate(test, ReferenceDevice.INSTANCE, DType.F64, values, Recompute.NONE);
    Result got = differentiate(test, device, dtype, values, Recompute.NONE);
    close("result", exact.result, got.result, tolerance);
    for (int i = 0; i < values.length; i++) {
      close("gradient " + i + " in " + dtype, exact.gradients[i], got.gradients[i], tolerance);
    }
  }

  /** Within a share of the largest value, so that sums that cancel do not count as errors. */
  static void close(String what, double[] expected, double[] got, double tolerance) {
    double scale = 1e-3;
    for (double e : expected) {
      scale = Math.max(scale, Math.abs(e));
    }
    for (int i = 0; i < expected.length; i++) {
      if (!(Math.abs(expected[i] - got[i]) <= tolerance * scale)) {
        fail("%s [%d]: got %s, expected %s".formatted(what, i, got[i], expected[i]));
      }
    }
  }

  private record Result(double[] result, double[][] gradients) {}

  private static Result differentiate(
      GradientCases.Case test, Device device, DType dtype, double[][] values, Recompute policy) {
    try (Scope scope = Scope.open(device);
        Tape tape = Tape.record(policy)) {
      List<Tensor> operands = operands(test, dtype, values);
      operands.forEach(Tensor::trainable);
      // The first operand enters as a block's input, the others as its parameters.
      Tensor result = Tape.block(operands.getFirst(), x -> {
        List<Tensor> inside = new ArrayList<>(operands);
        inside.set(0, x);
        return test.function().apply(inside);
      });
      double[] made = read(result);
      try (Gradients gradients = tape.backward(result, tensor(weights(made.length), result.shape(), result.dtype()))) {
        double[][] found = new double[operands.size()][];
        for (int i = 0; i < found.length; i++) {
          Tensor gradient = gradients.of(operands.get(i));
          found[i] = gradient == null ? new double[values[i].length] : read(gradient);
        }
        return new Result(made, found);
      }
    }
  }

  /** The result's elements, weighted and summed, without a tape. */
  private static double weighted(GradientCases.Case test, double[][] values) {
    try (Scope scope = Scope.open(ReferenceDevice.INSTANCE)) {
      double[] made = read(test.function().apply(operands(test, DType.F64, values)));
      double[] weights = weights(made.length);
      double sum = 0;
      for (int i = 0; i < made.length; i++) {
        sum += weights[i] * made[i];
      }
      return sum;
    }
  }

  private static double[] weights(int count) {
    Random random = new Random(count);
    double[] weights = new double[count];
    for (int i = 0; i < count; i++) {
      weights[i] = count == 1 ? 1 : random.nextInt(-16, 17) / 16.0;
    }
    return weights;
  }

  static double[][] draw(GradientCases.Case test) {
    Random random = new Random(test.name().hashCode());
    double[][] values = new double[test.shapes().size()][];
    for (int i = 0; i < values.length; i++) {
      values[i] = new double[(int) Shape.of(test.shapes().get(i)).count()];
      for (int j = 0; j < values[i].length; j++) {
        values[i][j] = random.nextGaussian() * 0.7;
      }
    }
    return values;
  }

  static void round(double[][] values, DType dtype) {
    for (double[] row : values) {
      for (int i = 0; i < row.length; i++) {
        row[i] = (float) row[i];
        if (dtype == DType.BF16) {
          row[i] = Float.intBitsToFloat(Float.floatToRawIntBits((float) row[i]) & 0xffff0000);
        }
      }
    }
  }

  static List<Tensor> operands(GradientCases.Case test, DType dtype, double[][] values) {
    List<Tensor> operands = new ArrayList<>();
    for (int i = 0; i < values.length; i++) {
      operands.add(tensor(values[i], Shape.of(test.shapes().get(i)), dtype));
    }
    return operands;
  }

  private static Tensor tensor(double[] values, Shape shape, DType dtype) {
    Tensor tensor = Tensor.empty(shape, dtype);
    if (dtype == DType.F64) {
      for (int i = 0; i < values.length; i++) {
        tensor.segment().setAtIndex(ValueLayout.JAVA_DOUBLE, i, values[i]);
      }
      return tensor;
    }
    float[] floats = new float[values.length];
    for (int i = 0; i < floats.length; i++) {
      floats[i] = (float) values[i];
    }
    return tensor.copyFrom(floats);
  }

  static double[] read(Tensor tensor) {
    if (tensor.dtype() == DType.F64) {
      return tensor.segment().toArray(ValueLayout.JAVA_DOUBLE);
    }
    float[] floats = tensor.toFloats();
    double[] values = new double[floats.length];
    for (int i = 0; i < values.length; i++) {
      values[i] = floats[i];
    }
    return values;
  }
}
