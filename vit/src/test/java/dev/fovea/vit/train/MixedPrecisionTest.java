package dev.fovea.vit.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.Device;
import dev.fovea.tensor.Recompute;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.io.Safetensors;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Runs that compute in BF16. */
final class MixedPrecisionTest {
  @TempDir
  private Path folder;

  private final TrainRunTest.Recorder recorder = new TrainRunTest.Recorder();

  private static Map<String, Object> tiny() {
    Map<String, Object> settings = TrainRunTest.tiny();
    settings.put("run.dtype", "bf16");
    return settings;
  }

  private Evaluation train(Path to, Map<String, Object> settings) throws IOException {
    try (TrainRun run = TrainRun.start(ConfigFile.read(null, settings), to, recorder)) {
      return Objects.requireNonNull(run.train(() -> false).evaluation());
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
    settings.put("data.mixup", 0.2);
    Path whole = folder.resolve("whole");
    Path parts = folder.resolve("parts");
    train(whole, settings);
    TrainRunTest.inTwoParts(settings, parts, recorder);
    TrainRunTest.same(whole, parts);
    assertEquals(before, Device.cpu().memory().current(), "bytes left");
  }

  /** Everything on the disk is F32: parameters are not rounded to what computes. */
  @Test
  void keepsMasters() throws IOException {
    Path to = folder.resolve("run");
    train(to, tiny());
    for (Path file :
        new Path[] {to.resolve("model/model.safetensors"), to.resolve("checkpoints/step-00000008.safetensors")}) {
      try (Safetensors stored = Safetensors.open(file);
          Scope _ = Scope.open(Device.cpu())) {
        boolean finer = false;
        for (String name : stored.names()) {
          Tensor tensor = stored.load(name);
          assertEquals(DType.F32, tensor.dtype(), name);
          finer |= !Arrays.equals(tensor.toFloats(), tensor.to(DType.BF16).toFloats());
        }
        assertTrue(finer, file + " holds no more than BF16 numbers");
      }
    }
  }

  /** After a step, and after what a checkpoint held was read, what computes is the rounding of what is kept. */
  @ParameterizedTest
  @EnumSource
  void computesWithTheRoundingOfWhatIsKept(TrainConfig.Method method) throws IOException {
    Map<String, Object> settings = tiny();
    settings.put("optimizer.method", method);
    TrainConfig config = ConfigFile.read(null, settings);
    var kept = Classification.of(config, 10, Device.cpu());
    try (MixedPrecision trained = MixedPrecision.of(kept, DType.BF16, true);
        Optimizer optimizer = Optimizers.of(config, trained)) {
      assertRounded(trained);
      for (boolean released : new boolean[] {false, true}) {
        var step =
            new TrainStep(trained.working(), optimizer, new TrainStep.Settings(Recompute.NONE, 1, released ? 0 : 1));
        float[] before = kept.parameters().get("head.weight").toFloats();
        assertTrue(step.update(CudaTrainTest.batch(4, 1), 1e-3, 1).finite());
        assertFalse(Arrays.equals(before, kept.parameters().get("head.weight").toFloats()));
        assertRounded(trained);
      }
      kept.parameters().get("head.bias").copyFrom(new float[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 0.3f});
      trained.round();
      assertRounded(trained);
    }
    var plain = Classification.of(config, 10, Device.cpu());
    try (MixedPrecision trained = MixedPrecision.of(plain, DType.F32, true)) {
      assertSame(plain, trained.working());
      assertNull(trained.master("head.bias"));
    }
  }

  private static void assertRounded(MixedPrecision trained) {
    try (Scope _ = Scope.open(Device.cpu())) {
      trained.working().parameters().forEach((name, tensor) -> {
        assertEquals(DType.BF16, tensor.dtype());
        Tensor master = Objects.requireNonNull(trained.master(name)).to(DType.BF16);
        assertArrayEquals(master.toFloats(), tensor.toFloats(), name);
      });
    }
  }

  /** What is not trained is saved as it was, to the last bit. */
  @Test
  void whatIsNotTrainedIsNotRounded() throws IOException {
    Map<String, Object> settings = TrainRunTest.tiny();
    Path from = folder.resolve("from");
    train(from, settings);
    settings.keySet().removeIf(name -> name.startsWith("model."));
    settings.put("tuning.model", from.resolve("model").toString());
    settings.put("tuning.train_only", "head");
    settings.put("run.dtype", "bf16");
    Path to = folder.resolve("to");
    train(to, settings);
    try (Safetensors one = Safetensors.open(from.resolve("model/model.safetensors"));
        Safetensors other = Safetensors.open(to.resolve("model/model.safetensors"));
        Scope _ = Scope.open(Device.cpu())) {
      for (String name : one.names()) {
        boolean same = Arrays.equals(one.load(name).toFloats(), other.load(name).toFloats());
        assertEquals(!name.contains("head"), same, name);
      }
    }
  }

  /** Losses are those of F32 but for rounding, of numbers of order 2 to 8 bits. */
  @Test
  void lossesAreThoseOfF32ButForRounding() throws IOException {
    Map<String, Object> settings = TrainRunTest.tiny();
    train(folder.resolve("f32"), settings);
    List<Double> f32 = List.copyOf(recorder.losses);
    recorder.losses.clear();
    train(folder.resolve("bf16"), tiny());
    assertEquals(f32.size(), recorder.losses.size());
    for (int i = 0; i < f32.size(); i++) {
      assertEquals(f32.get(i), recorder.losses.get(i), 0.02, "step " + (i + 1));
    }
    assertTrue(recorder.messages.contains("computing in BF16; parameters are kept in F32 beside"));
  }

  @Test
  void whatThereIsToChooseFromIsSaid() {
    Map<String, Object> settings = TrainRunTest.tiny();
    settings.put("run.dtype", "f16");
    var e = assertThrows(IllegalArgumentException.class, () -> ConfigFile.read(null, settings));
    assertEquals("run.dtype: got f16, expected one of f32 bf16", e.getMessage());
  }
}
