package dev.fovea.vit.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.fovea.tensor.Device;
import dev.fovea.tensor.Scope;
import dev.fovea.vit.Vit;
import dev.fovea.vit.data.Batch;
import dev.fovea.vit.data.Batches;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Runs that learn to fill in hidden patches. */
final class ReconstructionTest {
  @TempDir
  private Path folder;

  private static Map<String, Object> tiny() {
    Map<String, Object> settings = TrainRunTest.tiny();
    settings.put("masked.ratio", 0.5);
    settings.put("masked.decoder_depth", 0);
    settings.put("masked.decoder_width", 16);
    return settings;
  }

  private static TrainRun.Outcome train(Path to, Map<String, Object> settings, TrainRunTest.Recorder recorder)
      throws IOException {
    try (TrainRun run = TrainRun.start(ConfigFile.read(null, settings), to, recorder)) {
      return run.train(recorder::stop);
    }
  }

  @ParameterizedTest
  @CsvSource({"0, linear, adamw", "0, hmlp, adafactor", "2, linear, adafactor", "1, hmlp, sgd"})
  void goesOnBitForBit(int depth, String stem, String optimizer) throws IOException {
    long before = Device.cpu().memory().current();
    Map<String, Object> settings = tiny();
    settings.put("masked.decoder_depth", depth);
    settings.put("model.stem", stem);
    settings.put("optimizer.method", optimizer);
    settings.put("optimizer.polyak", 0.9);
    settings.put("run.accumulate", 2);
    Path whole = folder.resolve("whole");
    Path parts = folder.resolve("parts");
    assertTrue(train(whole, settings, new TrainRunTest.Recorder()).finished());
    TrainRunTest.Recorder recorder = new TrainRunTest.Recorder();
    recorder.stopAfter = 3;
    assertFalse(train(parts, settings, recorder).finished());
    try (TrainRun run = TrainRun.resume(parts, recorder)) {
      assertTrue(run.train(() -> false).finished());
    }
    TrainRunTest.same(whole, parts);
    assertEquals(before, Device.cpu().memory().current(), "bytes left");
  }

  /** Colours of neighbours are soon told: the loss falls from above 0.5 to below 0.3 in 60 steps. */
  @ParameterizedTest
  @CsvSource({"0, random", "1, blocks"})
  void learnsToFillIn(int depth, String pattern) throws IOException {
    Map<String, Object> settings = tiny();
    settings.put("masked.decoder_depth", depth);
    settings.put("masked.pattern", pattern);
    settings.put("run.steps", 60);
    settings.put("run.eval_every", 1000);
    settings.put("data.batch", 16);
    settings.put("optimizer.lr", 5e-3);
    TrainRunTest.Recorder recorder = new TrainRunTest.Recorder();
    TrainRun.Outcome outcome = train(folder.resolve("run"), settings, recorder);
    assertTrue(recorder.losses.getFirst() > 0.5, "first loss " + recorder.losses.getFirst());
    assertTrue(outcome.evaluation().loss() < 0.3, "loss " + outcome.evaluation().loss());
  }

  @Test
  void leavesAFolderToLookAtAndToFineTune() throws IOException {
    Path to = folder.resolve("run");
    Map<String, Object> settings = tiny();
    settings.put("masked.target", "normalized");
    train(to, settings, new TrainRunTest.Recorder());
    List<JsonNode> lines = Metrics.read(to.resolve("metrics.jsonl"));
    assertEquals(8, lines.size());
    for (JsonNode line : lines) {
      boolean evaluated = line.get("step").asInt() % 3 == 0 || line.get("step").asInt() == 8;
      assertEquals(evaluated, line.has("val_loss"));
      assertTrue(line.get("loss").isNumber());
      assertFalse(line.has("accuracy") || line.has("val_accuracy"));
    }
    for (String name : new String[] {"run.yaml", "curves.png", "reconstructions.png"}) {
      assertTrue(Files.size(to.resolve(name)) > 100, name);
    }
    assertFalse(Files.exists(to.resolve("confusion.png")));
    assertEquals(ConfigFile.read(null, settings), ConfigFile.read(to.resolve("run.yaml"), Map.of()));
    try (Vit vit = Vit.load(to.resolve("model"))) {
      assertEquals(0, vit.config().classes());
    }
    Map<String, Object> tuning = TrainRunTest.tiny();
    tuning.keySet().removeIf(name -> name.startsWith("model."));
    tuning.put("tuning.model", to.resolve("model").toString());
    TrainRunTest.Recorder recorder = new TrainRunTest.Recorder();
    assertTrue(train(folder.resolve("tuned"), tuning, recorder).evaluation().classifies());
    // And from there on again without classes: the classifier is left behind.
    Map<String, Object> again = new HashMap<>(tuning);
    again.put("tuning.model", folder.resolve("tuned/model").toString());
    again.put("masked.ratio", 0.7);
    assertTrue(train(folder.resolve("again"), again, recorder).finished());
  }

  /** What could not be read is not learned from. */
  @Test
  void unreadablePicturesDoNotCount() throws IOException {
    TrainConfig config = ConfigFile.read(null, tiny());
    try (Reconstruction objective = Reconstruction.of(config, Device.cpu());
        Scope scope = Scope.open()) {
      Batch whole =
          Batches.evaluation(Pictures.of(config).validation(), 3, 16, 16).batch(0);
      float[] pixels = whole.pixels().clone();
      Arrays.fill(pixels, 2 * 768, 3 * 768, 9f);
      Batch broken = new Batch(pixels, new int[] {0, 1, -1}, null);
      Batch two = new Batch(Arrays.copyOf(pixels, 2 * 768), new int[] {0, 1}, null);
      double loss = objective.on(broken, 0).loss().item();
      assertEquals(objective.on(two, 0).loss().item(), loss);
      assertTrue(loss != objective.on(whole, 0).loss().item());
    }
  }

  /** Masks follow from seed and picture: batches of other sizes are the same pictures with the same masks. */
  @Test
  void evaluationsHideTheSameEachTime() throws IOException {
    TrainConfig config = ConfigFile.read(null, tiny());
    try (Reconstruction objective = Reconstruction.of(config, Device.cpu())) {
      var validation = Pictures.of(config).validation();
      double loss =
          objective.evaluate(Batches.evaluation(validation, 7, 16, 16)).loss();
      assertEquals(
          loss, objective.evaluate(Batches.evaluation(validation, 20, 16, 16)).loss(), 1e-6);
      int each = objective.validationMask(0, 1).hiddenCount();
      int[] moved = IntStream.of(objective.validationMask(1, 1).hidden())
          .map(row -> row + 16)
          .toArray();
      int[] both = objective.validationMask(0, 2).hidden();
      assertArrayEquals(moved, Arrays.copyOfRange(both, each, 2 * each));
    }
  }

  @Test
  void saysWhatIsWrong() {
    Map<String, Object> settings = tiny();
    settings.put("masked.ratio", 1);
    message("ratio: got 1.0, expected a number from 0, below 1", settings);
    settings.put("masked.ratio", 0.5);
    settings.put("tuning.train_only", "head");
    message("train_only: got HEAD, expected all", settings);
    settings.put("tuning.train_only", "all");
    settings.put("masked.decoder_depth", 1);
    settings.put("masked.decoder_heads", 3);
    message("decoderHeads: got 3, expected a divisor of the decoder's width, 16", settings);
    settings.put("masked.decoder_depth", 0);
    settings.put("model.patch", 16);
    message("patches: got 1, expected at least 2", settings);
    assertFalse(Files.exists(folder.resolve("wrong/run.yaml")));
  }

  private void message(String part, Map<String, Object> settings) {
    Exception e =
        assertThrows(Exception.class, () -> train(folder.resolve("wrong"), settings, new TrainRunTest.Recorder()));
    assertTrue(String.valueOf(e.getMessage()).contains(part), e.toString());
  }
}
