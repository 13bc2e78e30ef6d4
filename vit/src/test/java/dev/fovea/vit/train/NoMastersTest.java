package dev.fovea.vit.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.Device;
import dev.fovea.tensor.Gradients;
import dev.fovea.tensor.Recompute;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.io.Safetensors;
import dev.fovea.tensor.ops.Ops;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Runs whose parameters are BF16 and nothing else. */
final class NoMastersTest {
  @TempDir
  private Path folder;

  private final TrainRunTest.Recorder recorder = new TrainRunTest.Recorder();

  private static Map<String, Object> tiny() {
    Map<String, Object> settings = TrainRunTest.tiny();
    settings.put("run.dtype", "bf16");
    settings.put("run.masters", false);
    return settings;
  }

  private void train(Path to, Map<String, Object> settings) throws IOException {
    try (TrainRun run = TrainRun.start(ConfigFile.read(null, settings), to, recorder)) {
      assertTrue(run.train(() -> false).finished());
    }
  }

  @ParameterizedTest
  @CsvSource({"adamw, 1, 1", "adafactor, 2, 0", "sgd, 1, 0"})
  void goesOnBitForBit(String optimizer, int accumulate, double clip) throws IOException {
    long before = Device.cpu().memory().current();
    Map<String, Object> settings = tiny();
    settings.put("optimizer.method", optimizer);
    settings.put("optimizer.clip", clip);
    settings.put("optimizer.polyak", 0.9);
    settings.put("run.accumulate", accumulate);
    Path whole = folder.resolve("whole");
    Path again = folder.resolve("again");
    Path parts = folder.resolve("parts");
    train(whole, settings);
    train(again, settings);
    TrainRunTest.same(whole, again);
    TrainRunTest.inTwoParts(settings, parts, recorder);
    TrainRunTest.same(whole, parts);
    assertEquals(before, Device.cpu().memory().current(), "bytes left");
  }

  /** Parameters are BF16 wherever they are written; their average, which moves by less, is F32. */
  @Test
  void writesBf16() throws IOException {
    Map<String, Object> settings = tiny();
    settings.put("run.steps", 2);
    settings.put("optimizer.polyak", 0.9);
    Path averaged = folder.resolve("averaged");
    train(averaged, settings);
    settings.remove("optimizer.polyak");
    Path plain = folder.resolve("plain");
    train(plain, settings);
    assertDtype(plain.resolve("model/model.safetensors"), "", DType.BF16);
    assertDtype(averaged.resolve("model/model.safetensors"), "", DType.F32);
    Path checkpoint = averaged.resolve("checkpoints/step-00000002.safetensors");
    assertDtype(checkpoint, "model.", DType.BF16);
    assertDtype(checkpoint, "average.", DType.F32);
    assertDtype(checkpoint, "optimizer.", DType.F32);
    assertTrue(recorder.messages.contains(
        "computing in BF16, without F32 parameters: every step rounds what it moves at random"));
  }

  private static void assertDtype(Path file, String prefix, DType dtype) throws IOException {
    try (Safetensors stored = Safetensors.open(file);
        Scope _ = Scope.open(Device.cpu())) {
      List<String> names =
          stored.names().stream().filter(name -> name.startsWith(prefix)).toList();
      assertFalse(names.isEmpty());
      for (String name : names) {
        assertEquals(dtype, stored.load(name).dtype(), name);
      }
    }
  }

  /** As with masters, but for noise: what is lost of a step on average is nothing. */
  @Test
  void learns() throws IOException {
    Map<String, Object> settings = tiny();
    settings.put("data.train_size", 8);
    settings.put("run.steps", 60);
    settings.put("run.eval_every", 60);
    settings.put("run.checkpoint_every", 60);
    train(folder.resolve("without"), settings);
    double first = mean(0);
    double without = mean(50);
    settings.put("run.masters", true);
    recorder.losses.clear();
    train(folder.resolve("with"), settings);
    double with = mean(50);
    assertTrue(without < first - 0.3, first + " to " + without);
    assertEquals(with, without, 0.1);
  }

  /** Of ten steps from here. */
  private double mean(int step) {
    return recorder.losses.subList(step, step + 10).stream()
        .mapToDouble(Double::doubleValue)
        .average()
        .orElseThrow();
  }

  /** 64 steps of 1/40 of the distance between two BF16 numbers, none of which would move one to nearest. */
  @Test
  void stepsTooSmallForBf16AddUp() {
    try (Scope _ = Scope.open(Device.cpu())) {
      Tensor value = Tensor.full(Shape.of(4096), DType.BF16, 1).trainable();
      var parameter = new Parameter("ones", value, 1, 0);
      try (Optimizer sgd = new Sgd(List.of(parameter), new Sgd.Settings(0, false, DType.F32), 5)) {
        for (int step = 1; step <= 64; step++) {
          sgd.step(parameter, Tensor.full(value.shape(), DType.F32, -1), 1 / (40 * 128.0), step);
        }
      }
      double sum = 0;
      for (float x : value.toFloats()) {
        sum += x - 1;
      }
      // The deviation of a sum of 64 such roundings is 0.0098, that of the mean of 4096 of them 0.00015.
      assertEquals(64 / (40 * 128.0), sum / 4096, 1e-3);
    }
  }

  /** Whether all move together or each as soon as its gradient is there, they are rounded by the same random bits. */
  @Test
  void aloneAsAmongAll() {
    Factoring factoring = (name, shape) -> Factoring.plain(shape);
    for (Function<List<Parameter>, Optimizer> made : List.<Function<List<Parameter>, Optimizer>>of(
        list -> new AdamW(list, AdamW.Settings.DEFAULT, 3),
        list -> new Sgd(list, Sgd.Settings.DEFAULT, 3),
        list -> new Adafactor(list, Adafactor.Settings.DEFAULT, factoring, 3))) {
      List<float[]> together = after(made, false);
      List<float[]> alone = after(made, true);
      for (int i = 0; i < together.size(); i++) {
        assertArrayEquals(together.get(i), alone.get(i));
      }
      assertFalse(Arrays.equals(together.get(0), together.get(2)), "two tensors drew the same");
    }
  }

  private static List<float[]> after(Function<List<Parameter>, Optimizer> made, boolean alone) {
    try (Scope _ = Scope.open(Device.cpu())) {
      List<Parameter> parameters = List.of(
          parameter("a", Shape.of(33, 40)),
          parameter("b", Shape.of(7)),
          parameter("c", Shape.of(33, 40)),
          parameter("d", Shape.of(9)));
      try (Optimizer optimizer = made.apply(parameters);
          Tape tape = Tape.record(Recompute.NONE)) {
        Tensor sum = null;
        for (Parameter parameter : parameters) {
          int count = Math.toIntExact(parameter.value().shape().count());
          Tensor row = Ops.cast(parameter.value().reshape(1, count), DType.F32);
          Tensor one = Ops.sigmoidCrossEntropy(row, Tensor.zeros(Shape.of(1, count), DType.F32), 0);
          sum = sum == null ? one : Ops.add(sum, one);
        }
        try (Gradients gradients = tape.backward(Objects.requireNonNull(sum))) {
          if (alone) {
            for (Parameter parameter : parameters) {
              Tensor gradient = Objects.requireNonNull(gradients.of(parameter.value()));
              optimizer.step(parameter, gradient, 0.01, 1);
            }
          } else {
            optimizer.step(gradients, null, 0.01, 1);
          }
        }
      }
      return parameters.stream().map(parameter -> parameter.value().toFloats()).toList();
    }
  }

  private static Parameter parameter(String name, Shape shape) {
    return new Parameter(name, Tensor.full(shape, DType.BF16, 0.3).trainable(), 1, 0);
  }

  @Test
  void f32ParametersHaveNoMasters() {
    Map<String, Object> settings = tiny();
    settings.put("run.dtype", "f32");
    var e = assertThrows(IllegalArgumentException.class, () -> ConfigFile.read(null, settings));
    assertEquals("masters: got false with dtype f32, expected dtype bf16 or true", e.getMessage());
  }
}
