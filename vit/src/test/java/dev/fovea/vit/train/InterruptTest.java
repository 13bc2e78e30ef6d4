package dev.fovea.vit.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Ctrl-C in a program of its own: it ends after a step, with a checkpoint, and goes on to the same bits. */
@DisabledOnOs(value = OS.WINDOWS, disabledReason = "sends a signal")
final class InterruptTest {
  private static final long PATIENCE = TimeUnit.SECONDS.toNanos(300);
  private static final long MORE = 3;

  /** What a shell shows for a program that SIGINT ended. */
  private static final int INTERRUPTED = 130;

  @TempDir
  private Path folder;

  /** A run that does not end by itself, at a rate that does not depend on its length. */
  private static Map<String, Object> settings() {
    Map<String, Object> settings = new HashMap<>(TrainRunTest.tiny());
    settings.put("run.steps", 100_000_000);
    settings.put("run.eval_every", 100_000_000);
    settings.put("run.checkpoint_every", 100_000_000);
    settings.put("run.recompute", "selective");
    settings.put("schedule.curve", "constant");
    return settings;
  }

  @Test
  void controlCWritesACheckpointAndSaysHowToGoOn() throws Exception {
    Path config = Files.writeString(folder.resolve("run.yaml"), ConfigFile.write(ConfigFile.read(null, settings())));
    Path run = folder.resolve("run");
    Path printed = folder.resolve("printed.txt");
    Process process = fovea(printed, "train", "--config", config.toString(), "--out", run.toString());
    try {
      long start = System.nanoTime();
      while (lines(run).size() < 3) {
        assertTrue(process.isAlive(), () -> "it ended before it was asked to: " + text(printed));
        assertTrue(System.nanoTime() - start < PATIENCE, () -> "it does not get anywhere: " + text(printed));
        Thread.onSpinWait();
      }
      assertEquals(
          0,
          new ProcessBuilder("kill", "-INT", Long.toString(process.pid()))
              .start()
              .waitFor());
      assertTrue(process.waitFor(PATIENCE, TimeUnit.NANOSECONDS), () -> "it goes on: " + text(printed));
    } finally {
      process.destroyForcibly();
    }
    assertEquals(INTERRUPTED, process.exitValue(), text(printed));
    List<JsonNode> done = lines(run);
    long step = done.getLast().get("step").asLong();
    assertEquals(done.size(), step, "every line is whole, to the last");
    assertTrue(text(printed).contains("stopping after this step"), text(printed));
    assertTrue(
        text(printed)
            .contains("stopped after step %d; go on with: ./fovea train --resume --out %s".formatted(step, run)),
        text(printed));
    assertFalse(text(printed).contains("Exception"), text(printed));
    assertTrue(Files.exists(run.resolve("checkpoints/step-%08d.safetensors".formatted(step))), "no checkpoint");

    Map<String, Object> shorter = settings();
    shorter.put("run.steps", step + MORE);
    TrainConfig whole = ConfigFile.read(null, shorter);
    Files.writeString(run.resolve("run.yaml"), ConfigFile.write(whole));
    try (TrainRun rest = TrainRun.resume(run, new TrainRunTest.Recorder())) {
      assertTrue(rest.train(() -> false).finished());
    }
    try (TrainRun uninterrupted = TrainRun.start(whole, folder.resolve("whole"), new TrainRunTest.Recorder())) {
      uninterrupted.train(() -> false);
    }
    TrainRunTest.same(folder.resolve("whole"), run);
  }

  private static List<JsonNode> lines(Path run) throws IOException {
    return Metrics.read(run.resolve("metrics.jsonl"));
  }

  private static String text(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      return e.toString();
    }
  }

  /** A program started in the background may have been told to ignore SIGINT, and so would its children. */
  private static List<String> listening() throws InterruptedException {
    List<String> env = List.of("env", "--default-signal=INT");
    try {
      List<String> trial = new ArrayList<>(env);
      trial.add("true");
      boolean can = new ProcessBuilder(trial)
              .redirectError(ProcessBuilder.Redirect.DISCARD)
              .start()
              .waitFor()
          == 0;
      return can ? env : List.of();
    } catch (IOException e) {
      return List.of();
    }
  }

  private static Process fovea(Path printed, String... args) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(listening());
    command.addAll(ChildJvm.command("dev.fovea.vit.cli.Fovea", args));
    return new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(printed.toFile())
        .start();
  }
}
