package dev.fovea.vit.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.fovea.kernels.DType;
import dev.fovea.tensor.Device;
import dev.fovea.vit.model.Presets;
import dev.fovea.vit.model.VitConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs of presets: their models, what they need, and groups of parameters with rates of their own. */
final class PresetRunTest {
  @TempDir
  private Path folder;

  private static TrainConfig read(Map<String, ?> settings) throws IOException {
    return ConfigFile.read(null, settings);
  }

  @Test
  void everyPresetIsTheModelOfItsName() throws IOException {
    for (String name : Presets.names()) {
      VitConfig expected = Presets.of(name).toBuilder().classes(7).build();
      assertEquals(expected, read(Map.of("model.preset", name)).vit(7), name);
    }
  }

  @Test
  void settingsChangeAPreset() throws IOException {
    Path file = Files.writeString(
        folder.resolve("run.yaml"), "model:\n  preset: 22B\n  depth: 3\n  heads: 24\noptimizer:\n  clip: 0.5\n");
    TrainConfig config = ConfigFile.read(file, Map.of("model.heads", 2, "model.width", 128, "model.drop_path", 0.1));
    VitConfig vit = config.vit(10);
    assertEquals(128, vit.width());
    assertEquals(3, vit.depth());
    assertEquals(2, vit.heads());
    assertEquals(2, vit.poolHeads(), "the pooling's heads are the trunk's");
    assertFalse(vit.qkvBias());
    assertEquals(VitConfig.Block.PARALLEL, vit.block());
    assertEquals(0.1f, vit.dropPathOf(2));
    assertEquals(0.05f, vit.dropPathOf(1));
    assertEquals(0.5, config.optimizer().clip());
    assertTrue(config.optimizer().lr() < TrainConfig.defaults().optimizer().lr() / 50, "wide models learn slower");
    Files.writeString(file, ConfigFile.write(config));
    assertEquals(config, ConfigFile.read(file, Map.of()), "what is written is read");
  }

  @Test
  void aPresetTrains() throws IOException {
    Map<String, Object> settings = new HashMap<>(Map.of(
        "model.preset", "mu", "model.image_size", 32, "model.drop_path", 0.2, "data.batch", 4, "data.val_size", 10));
    settings.put("run.steps", 2);
    settings.put("optimizer.polyak", 0.5);
    Path to = folder.resolve("run");
    try (TrainRun run = TrainRun.start(read(settings), to, new TrainRunTest.Recorder())) {
      assertEquals(VitConfig.Pool.MAP, run.model().config().pool());
      assertTrue(run.train(() -> false).finished());
    }
    assertTrue(Files.exists(to.resolve("model")));
  }

  @Test
  void aModelThatDoesNotFitIsRefusedAtOnce() throws IOException {
    Map<String, Object> settings = Map.of("model.preset", "G/14", "run.memory", 16_000_000_000L);
    var e = assertThrows(
        IllegalArgumentException.class,
        () -> TrainRun.start(read(settings), folder.resolve("large"), new TrainRunTest.Recorder()));
    assertTrue(e.getMessage().startsWith("memory: the run needs at least "), e.getMessage());
    assertTrue(e.getMessage().contains("there are 16.0 GB"), e.getMessage());
    assertTrue(e.getMessage().contains("--optimizer adafactor"), e.getMessage());
    assertFalse(Files.exists(folder.resolve("large")), "a folder was made for a run that cannot be");
    assertTrue(HostMemory.available() > 1 << 20);
  }

  /** What is told before is at most what is used, and most of it. */
  @ParameterizedTest
  @ValueSource(strings = {"none", "selective", "block"})
  void theNeedIsWhatIsUsed(String recompute) throws IOException {
    Map<String, Object> settings = TrainRunTest.tiny();
    settings.put("model.width", 128);
    settings.put("model.depth", 4);
    settings.put("run.memory", 1L << 32);
    settings.put("run.recompute", recompute);
    settings.put("run.steps", 2);
    settings.put("data.batch", 64);
    settings.put("data.val_size", 8);
    TrainConfig config = read(settings);
    Path to = folder.resolve("run");
    try (TrainRun run = TrainRun.start(config, to, new TrainRunTest.Recorder())) {
      run.train(() -> false);
    }
    List<JsonNode> lines = Metrics.read(to.resolve("metrics.jsonl"));
    double used = lines.getFirst().get("peak_bytes").asDouble();
    double told = MemoryNeed.of(config, config.vit(10), Device.cpu()).bytes();
    assertTrue(told <= used, told + " told, " + used + " used");
    assertTrue(told >= 0.7 * used, told + " told, " + used + " used");
  }

  @Test
  void theClassifierHasARateOfItsOwn() throws IOException {
    Map<String, Object> settings = TrainRunTest.tiny();
    settings.put("optimizer.head_lr", 10);
    settings.put("optimizer.weight_decay", 0.03);
    settings.put("optimizer.head_weight_decay", 3);
    TrainConfig config = read(settings);
    try (Objective model = Classification.of(config, 10, Device.cpu());
        Optimizer optimizer = Optimizers.of(config, MixedPrecision.of(model, DType.F32, true))) {
      for (Parameter parameter : optimizer.parameters()) {
        boolean head = parameter.name().startsWith("head.");
        boolean matrix =
            parameter.name().endsWith(".weight") && parameter.value().shape().rank() == 2;
        assertEquals(head ? 10 : 1, parameter.rate(), parameter.name());
        assertEquals(!matrix ? 0 : head ? 3 : 0.03, parameter.decay(), parameter.name());
      }
    }
    settings.put("optimizer.head_lr", 0);
    assertTrue(assertThrows(IllegalArgumentException.class, () -> read(settings))
        .getMessage()
        .contains("head_lr: got 0"));
  }
}
