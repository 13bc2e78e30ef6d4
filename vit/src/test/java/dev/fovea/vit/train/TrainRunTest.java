package dev.fovea.vit.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.fovea.kernels.cuda.CudaException;
import dev.fovea.tensor.Device;
import dev.fovea.vit.Vit;
import dev.fovea.vit.model.VitConfig;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Runs in folders: what they leave, how they go on, and how they fail. */
final class TrainRunTest {
  @TempDir
  private Path folder;

  /** Hears everything and says when to stop. */
  static final class Recorder implements Listener {
    final List<String> messages = new ArrayList<>();
    final List<Double> losses = new ArrayList<>();
    long stopAfter = Long.MAX_VALUE;
    long step;

    @Override
    public void step(Step done) {
      step = done.step();
      losses.add(done.loss());
    }

    @Override
    public void evaluation(long at, Evaluation evaluation) {}

    @Override
    public void message(String message) {
      messages.add(message);
    }

    boolean stop() {
      return step >= stopAfter;
    }
  }

  /** A tiny model, eight steps. */
  static Map<String, Object> tiny() {
    Map<String, Object> settings = new HashMap<>();
    settings.put("model.image_size", 16);
    settings.put("model.patch", 4);
    settings.put("model.width", 32);
    settings.put("model.depth", 2);
    settings.put("model.heads", 2);
    settings.put("model.mlp", 64);
    settings.put("data.batch", 8);
    settings.put("data.val_size", 20);
    settings.put("run.steps", 8);
    settings.put("run.eval_every", 3);
    settings.put("run.checkpoint_every", 2);
    settings.put("schedule.warmup", 2);
    return settings;
  }

  private static TrainRun.Outcome train(Path to, Map<String, Object> settings, Recorder recorder) throws IOException {
    try (TrainRun run = TrainRun.start(ConfigFile.read(null, settings), to, recorder)) {
      return run.train(recorder::stop);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"adamw", "adafactor", "sgd"})
  void goesOnBitForBit(String optimizer) throws IOException {
    long before = Device.cpu().memory().current();
    Map<String, Object> settings = tiny();
    settings.put("optimizer.method", optimizer);
    settings.put("optimizer.bf16_momentum", true);
    settings.put("optimizer.polyak", 0.9);
    settings.put("data.crop", true);
    settings.put("data.mixup", 0.2);
    Path whole = folder.resolve("whole");
    Path parts = folder.resolve("parts");
    assertTrue(train(whole, settings, new Recorder()).finished());
    Recorder recorder = new Recorder();
    recorder.stopAfter = 3;
    assertFalse(train(parts, settings, recorder).finished());
    recorder.stopAfter = 5;
    for (boolean finished = false; !finished; recorder.stopAfter += 2) {
      try (TrainRun run = TrainRun.resume(parts, recorder)) {
        finished = run.train(recorder::stop).finished();
      }
    }
    same(whole, parts);
    assertEquals(before, Device.cpu().memory().current(), "bytes left");
  }

  /** A run that is stopped after three steps and goes on to its end. */
  static void inTwoParts(Map<String, Object> settings, Path folder, Recorder recorder) throws IOException {
    recorder.step = 0;
    recorder.stopAfter = 3;
    try (TrainRun run = TrainRun.start(ConfigFile.read(null, settings), folder, recorder)) {
      assertFalse(run.train(recorder::stop).finished());
    }
    try (TrainRun run = TrainRun.resume(folder, recorder)) {
      assertTrue(run.train(() -> false).finished());
    }
  }

  /** Same model, same metrics but for what time says. */
  static void same(Path one, Path other) throws IOException {
    assertArrayEquals(
        Files.readAllBytes(one.resolve("model/model.safetensors")),
        Files.readAllBytes(other.resolve("model/model.safetensors")));
    List<JsonNode> expected = Metrics.read(one.resolve("metrics.jsonl"));
    List<JsonNode> got = Metrics.read(other.resolve("metrics.jsonl"));
    assertEquals(expected.size(), got.size());
    for (int i = 0; i < expected.size(); i++) {
      for (String field : new String[] {"step", "loss", "accuracy", "lr", "val_loss", "val_accuracy"}) {
        assertEquals(expected.get(i).get(field), got.get(i).get(field), field);
      }
    }
  }

  @Test
  void aGpuThatIsNotThereLeavesNoFolder() {
    Map<String, Object> settings = tiny();
    settings.put("run.device", "cuda:999");
    var e = assertThrows(CudaException.class, () -> train(folder.resolve("gpu"), settings, new Recorder()));
    assertTrue(e.getMessage().contains("GPU") || e.getMessage().contains("NVIDIA"), e.getMessage());
    assertFalse(Files.exists(folder.resolve("gpu")), "a folder was made for a run that cannot be");
  }

  @Test
  void leavesAFolderToLookAt() throws IOException {
    Path to = folder.resolve("run");
    TrainRun.Outcome outcome = train(to, tiny(), new Recorder());
    assertEquals(8, outcome.step());
    List<JsonNode> lines = Metrics.read(to.resolve("metrics.jsonl"));
    assertEquals(8, lines.size());
    for (JsonNode line : lines) {
      for (String field : new String[] {"step", "loss", "lr", "images_per_s", "peak_bytes"}) {
        assertTrue(line.path(field).isNumber(), field);
      }
      boolean evaluated = line.get("step").asInt() % 3 == 0 || line.get("step").asInt() == 8;
      assertEquals(evaluated, line.has("val_accuracy"));
      assertEquals(evaluated, line.has("val_loss"));
    }
    for (String name : new String[] {"run.yaml", "curves.png", "confusion.png", "samples.png", "attention.png"}) {
      assertTrue(Files.size(to.resolve(name)) > 100, name);
    }
    assertEquals(
        ConfigFile.read(null, tiny()), ConfigFile.read(to.resolve("run.yaml"), Map.of()), "what is written is read");
  }

  @Test
  void theModelIsOneToLoad() throws IOException {
    Path to = folder.resolve("run");
    train(to, tiny(), new Recorder());
    try (Vit vit = Vit.load(to.resolve("model"))) {
      assertEquals(VitConfig.Block.PARALLEL, vit.config().block());
      assertEquals(10, vit.config().classes());
    }
    assertTrue(Files.readString(to.resolve("model/config.json")).contains("hourglass"));
  }

  /** Where the next checkpoint cannot be written, the last one stays, and the message says what to do. */
  @Test
  void aCheckpointThatCannotBeWrittenEndsTheRun() throws IOException {
    Path to = folder.resolve("run");
    Files.createDirectories(to.resolve("checkpoints/step-00000004.safetensors"));
    IOException failed = assertThrows(IOException.class, () -> train(to, tiny(), new Recorder()));
    assertTrue(failed.getMessage().contains("step 4 could not be written"), failed.getMessage());
    assertTrue(failed.getMessage().contains("that of step 3: --resume"), failed.getMessage());
    Files.delete(to.resolve("checkpoints/step-00000004.safetensors"));
    train(folder.resolve("whole"), tiny(), new Recorder());
    try (TrainRun run = TrainRun.resume(to, new Recorder())) {
      run.train(() -> false);
    }
    same(folder.resolve("whole"), to);
  }

  @Test
  void keepsTheLastAndTheBest() throws IOException {
    Path to = folder.resolve("run");
    train(to, tiny(), new Recorder());
    List<String> names;
    try (Stream<Path> files = Files.list(to.resolve("checkpoints"))) {
      names = files.map(file -> file.getFileName().toString()).sorted().toList();
    }
    assertTrue(names.size() == 2 || names.size() == 3, names.toString());
    assertEquals("step-00000008.safetensors", names.getLast());
  }

  /** The same gradients, so the same bits, whether or not they exist all at once. */
  @Test
  void gradientReleaseChangesNothing() throws IOException {
    Map<String, Object> settings = tiny();
    settings.put("optimizer.clip", 1e9);
    train(folder.resolve("all"), settings, new Recorder());
    settings.put("optimizer.clip", 0);
    train(folder.resolve("released"), settings, new Recorder());
    same(folder.resolve("all"), folder.resolve("released"));
  }

  @Test
  void accumulatesToAboutTheSame() throws IOException {
    Recorder whole = new Recorder();
    Recorder parts = new Recorder();
    Map<String, Object> settings = tiny();
    train(folder.resolve("whole"), settings, whole);
    settings.put("run.accumulate", 4);
    train(folder.resolve("parts"), settings, parts);
    for (int i = 0; i < whole.losses.size(); i++) {
      assertEquals(whole.losses.get(i), parts.losses.get(i), 1e-3);
    }
  }

  @Test
  void damagedCheckpointsArePassedOver() throws IOException {
    Path to = folder.resolve("run");
    Recorder recorder = new Recorder();
    recorder.stopAfter = 6;
    train(to, tiny(), recorder);
    train(folder.resolve("whole"), tiny(), new Recorder());
    Path last = to.resolve("checkpoints/step-00000006.safetensors");
    byte[] bytes = Files.readAllBytes(last);
    bytes[bytes.length - 5] ^= 1;
    Files.write(last, bytes);
    recorder.stopAfter = Long.MAX_VALUE;
    try (TrainRun run = TrainRun.resume(to, recorder)) {
      assertTrue(run.train(() -> false).finished());
    }
    assertTrue(recorder.messages.stream().anyMatch(m -> m.contains("checksum")), recorder.messages.toString());
    same(folder.resolve("whole"), to);
  }

  @Test
  void aLossThatIsNotFiniteStopsOrSkips() throws IOException {
    Map<String, Object> settings = tiny();
    settings.put("optimizer.lr", 1e30);
    settings.put("optimizer.clip", 0);
    settings.put("optimizer.method", "sgd");
    NonFiniteException stopped =
        assertThrows(NonFiniteException.class, () -> train(folder.resolve("stop"), settings, new Recorder()));
    // Names with the order of pictures that a seed gives, values as a model that has left all bounds has them.
    String named = "step (\\d+): the loss \\((NaN|-?Infinity)\\) is not finite for batch \\1 of epoch 1"
        + " \\(pictures \\d+, \\d+, \\d+, \\d+ and 4 more\\); the largest activations are after block [01] \\(\\S+\\),"
        + " after block [01] \\(\\S+\\); the largest parameters are \\S+ \\(\\S+\\), .*";
    assertTrue(
        stopped.getMessage().matches(named + "; (there is no checkpoint yet|the last good checkpoint .*)"),
        stopped.getMessage());
    settings.put("run.on_non_finite", "skip");
    Recorder recorder = new Recorder();
    assertTrue(train(folder.resolve("skip"), settings, recorder).finished());
    assertTrue(
        recorder.messages.stream().anyMatch(m -> m.matches(named + "; the step was left out")),
        recorder.messages.toString());
    assertEquals(8, Metrics.read(folder.resolve("skip/metrics.jsonl")).size(), "steps that are left out are told too");
  }

  /** Pictures that are files are called by them. */
  @Test
  void picturesOfABatchAreNamed() throws IOException {
    for (String name : List.of("cat/a.png", "cat/b.png", "dog/c.png", "dog/d.png")) {
      Path file = folder.resolve("photos").resolve(name);
      Files.createDirectories(file.getParent());
      ImageIO.write(new BufferedImage(16, 16, BufferedImage.TYPE_INT_RGB), "png", file.toFile());
    }
    Map<String, Object> settings = tiny();
    settings.put("data.set", folder.resolve("photos").toString());
    settings.put("data.batch", 1);
    settings.put("optimizer.lr", 1e30);
    settings.put("optimizer.clip", 0);
    settings.put("optimizer.method", "sgd");
    NonFiniteException stopped =
        assertThrows(NonFiniteException.class, () -> train(folder.resolve("stop"), settings, new Recorder()));
    assertTrue(
        stopped.getMessage().matches(".* of epoch \\d+ \\(picture \\S+/photos/(cat|dog)/[abcd].png\\); .*"),
        stopped.getMessage());
  }

  @Test
  void saysWhatIsWrong() throws IOException {
    Path to = folder.resolve("run");
    train(to, tiny(), new Recorder());
    assertMessage(to + ": holds a run already", () -> train(to, tiny(), new Recorder()));
    assertMessage("holds no run", () -> TrainRun.resume(folder.resolve("none"), new Recorder()));
    Map<String, Object> settings = tiny();
    settings.put("data.set", "cats");
    assertMessage("data: got cats", () -> train(folder.resolve("a"), settings, new Recorder()));
    settings.put("data.set", "shapes");
    settings.put("run.device", "tpu");
    assertMessage("device: got 'tpu'", () -> train(folder.resolve("b"), settings, new Recorder()));
    Path file = Files.writeString(folder.resolve("bad.yaml"), "model:\n  widht: 3\n");
    assertMessage("model.widht", () -> ConfigFile.read(file, Map.of()));
    Files.writeString(file, "model:\n  width: wide\n");
    assertMessage("model.width: got wide", () -> ConfigFile.read(file, Map.of()));
    Files.writeString(file, "{\"optimizer\": {\"method\": \"adam\"}}");
    assertMessage("one of adamw adafactor sgd", () -> ConfigFile.read(file, Map.of()));
    Path blocked = Files.writeString(folder.resolve("file"), "");
    assertMessage(
        "the folder cannot be made: Not a directory", () -> train(blocked.resolve("x"), tiny(), new Recorder()));
  }

  private static void assertMessage(String part, org.junit.jupiter.api.function.Executable action) {
    Exception e = assertThrows(Exception.class, action);
    assertTrue(String.valueOf(e.getMessage()).contains(part), e.toString());
  }
}
