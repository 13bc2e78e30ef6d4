package dev.fovea.vit.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Cool-downs from checkpoints of longer runs. */
final class CooldownTest {
  @TempDir
  private Path folder;

  private static Map<String, Object> settings(String curve) {
    Map<String, Object> settings = TrainRunTest.tiny();
    settings.put("schedule.curve", curve);
    settings.put("schedule.timescale", 3);
    settings.put("run.keep", 0);
    settings.put("run.recompute", "selective");
    return settings;
  }

  private Path train(String name, Map<String, Object> settings) throws IOException {
    Path to = folder.resolve(name);
    try (TrainRun run = TrainRun.start(ConfigFile.read(null, settings), to, new TrainRunTest.Recorder())) {
      run.train(() -> false);
    }
    return to;
  }

  /** The branch is the run whose cool-down was planned from the start. */
  @ParameterizedTest
  @ValueSource(strings = {"rsqrt", "constant"})
  void isTheRunThatHadItFromTheStart(String curve) throws IOException {
    Path run = train("long", settings(curve));
    Path branch = folder.resolve("branch");
    try (TrainRun cooling = Cooldown.begin(run, 4, 3, branch, new TrainRunTest.Recorder())) {
      TrainRun.Outcome outcome = cooling.train(() -> false);
      assertTrue(outcome.finished());
      assertEquals(7, outcome.step());
    }
    Map<String, Object> planned = settings(curve);
    planned.put("run.steps", 7);
    planned.put("schedule.cooldown", 3);
    Path whole = train("planned", planned);
    TrainRunTest.same(whole, branch);
    assertEquals(Files.readString(whole.resolve("run.yaml")), Files.readString(branch.resolve("run.yaml")));
    assertEquals(8, Metrics.read(run.resolve("metrics.jsonl")).size(), "the run itself stays as it is");
  }

  @Test
  void saysWhatIsWrong() throws IOException {
    Path run = train("long", settings("rsqrt"));
    assertMessage(
        "at: got 5, expected a step that " + run + " has a checkpoint of: 2, 3, 4, 6, 8", () -> begin(run, 5));
    assertMessage("holds no run", () -> begin(folder.resolve("none"), 4));
    assertMessage("holds no run", () -> Cooldown.latest(folder.resolve("none")));
    assertEquals(8, Cooldown.latest(run));
    Path cosine = train("cosine", settings("cosine"));
    assertMessage("is a cosine, which falls to 0 by itself", () -> begin(cosine, 4));
    Map<String, Object> falling = settings("rsqrt");
    falling.put("schedule.cooldown", 3);
    Path cooled = train("cooled", falling);
    assertMessage("falls already, expected at most 5", () -> begin(cooled, 6));
    Map<String, Object> rising = settings("rsqrt");
    rising.put("schedule.warmup", 5);
    Path warm = train("warm", rising);
    assertMessage("still rises, expected at least 5", () -> begin(warm, 4));
    assertFalse(Files.exists(folder.resolve("branch")), "a folder was made for a run that cannot be");
    assertMessage("holds a run already", () -> Cooldown.begin(run, 4, 2, warm, new TrainRunTest.Recorder()));
  }

  private void begin(Path run, long at) throws IOException {
    Cooldown.begin(run, at, 2, folder.resolve("branch"), new TrainRunTest.Recorder())
        .close();
  }

  private static void assertMessage(String part, org.junit.jupiter.api.function.Executable action) {
    Exception e = assertThrows(Exception.class, action);
    assertTrue(String.valueOf(e.getMessage()).contains(part), e.toString());
  }
}
