package dev.fovea.vit.scaling;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.vit.train.Evaluation;
import dev.fovea.vit.train.TrainConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Sweeps: which models, and what becomes of those that were trained, interrupted or failed. */
final class SweepTest {
  @TempDir
  private Path folder;

  /** Hears everything and says when to stop. */
  private static final class Recorder implements SweepRunner.Watcher {
    final List<String> heard = new ArrayList<>();
    long stopAfter = Long.MAX_VALUE;
    long steps;

    @Override
    public void begin(Sweep.Point point, int number, int of, double done) {
      assertTrue(done >= 0 && done < 1);
      heard.add("%d/%d %s".formatted(number, of, point.name()));
    }

    @Override
    public void end(SweepResult result, boolean already) {
      heard.add((already ? "has " : "made ") + result.run());
    }

    @Override
    public void failed(Sweep.Point point, Exception reason) {
      heard.add("failed " + point.name());
    }

    @Override
    public void step(Step step) {
      steps++;
    }

    @Override
    public void evaluation(long step, Evaluation evaluation) {}

    @Override
    public void message(String message) {}

    boolean stop() {
      return steps >= stopAfter;
    }
  }

  private static Map<String, Object> tiny() {
    Map<String, Object> settings = new HashMap<>();
    settings.put("model.image_size", 16);
    settings.put("model.heads", 2);
    settings.put("data.batch", 4);
    settings.put("data.val_size", 10);
    settings.put("run.device", "cpu");
    return settings;
  }

  private SweepRunner runner() {
    return new SweepRunner(null, tiny(), folder.resolve("sweep"));
  }

  @Test
  void aGridHasEveryCombinationOnce() {
    Sweep grid = Sweep.grid(List.of(16, 8), List.of(2, 1), List.of(32), List.of(10L, 20L), List.of(0, 50));
    assertEquals(16, grid.points().size());
    assertEquals("w8-d1-m32-s10", grid.points().getFirst().name());
    assertEquals("w16-d2-m32-s20-n50", grid.points().getLast().name());
  }

  @Test
  void aStarVariesOneDimensionAtATime() {
    Sweep star =
        Sweep.star(new Shape(64, 8, 128), List.of(16, 32), List.of(2), List.of(32, 64, 128), List.of(10L), List.of(0));
    assertEquals(
        List.of(
            "w16-d8-m128-s10",
            "w64-d2-m128-s10",
            "w32-d8-m128-s10",
            "w64-d8-m32-s10",
            "w64-d8-m64-s10",
            "w64-d8-m128-s10"),
        star.points().stream().map(Sweep.Point::name).toList());
  }

  /** Interrupted after three steps, it goes on; a width that its heads do not divide fails alone. */
  @Test
  void goesOnAndListsFailures() throws IOException {
    Sweep sweep = Sweep.grid(List.of(8, 9, 12), List.of(1), List.of(16), List.of(4L), List.of(0));
    Recorder recorder = new Recorder();
    recorder.stopAfter = 6;
    SweepRunner.Outcome stopped = runner().run(sweep, recorder, recorder::stop);
    assertTrue(stopped.stopped());
    assertEquals(1, stopped.results().size());
    recorder.stopAfter = Long.MAX_VALUE;
    recorder.heard.clear();
    recorder.steps = 0;
    SweepRunner.Outcome outcome = runner().run(sweep, recorder, recorder::stop);
    assertFalse(outcome.stopped());
    assertEquals(2, recorder.steps, "steps that were left to do");
    assertEquals(
        List.of(
            "1/3 w8-d1-m16-s4",
            "has w8-d1-m16-s4",
            "2/3 w9-d1-m16-s4",
            "failed w9-d1-m16-s4",
            "3/3 w12-d1-m16-s4",
            "made w12-d1-m16-s4"),
        recorder.heard);
    assertEquals(Map.of("w9-d1-m16-s4", "heads: got 2, expected a divisor of the width, 9"), outcome.failures());
    RunTable table = RunTable.read(runner().table());
    assertEquals(2, table.size());
    double[] compute = table.column("compute");
    SweepResult last = outcome.results().getLast();
    assertEquals(last.gflops() * 4 * 4, compute[1], 1e-5 * compute[1]);
    assertEquals(last.error(), table.column("error")[1], 1e-5);
    assertEquals(8, table.column("width")[0]);
    assertEquals(new Shape(12, 1, 16), StarSweep.of(table).center());
  }

  @Test
  void otherSettingsAreAnotherSweep() throws IOException {
    Sweep sweep = Sweep.grid(List.of(8), List.of(1), List.of(16), List.of(2L), List.of(0));
    Recorder recorder = new Recorder();
    runner().run(sweep, recorder, () -> false);
    Map<String, Object> settings = tiny();
    settings.put("optimizer.lr", 0.5);
    SweepRunner.Outcome outcome =
        new SweepRunner(null, settings, folder.resolve("sweep")).run(sweep, recorder, () -> false);
    assertTrue(outcome.failures().get("w8-d1-m16-s2").contains("was begun with other settings"));
    assertTrue(Files.readString(runner().table()).lines().count() == 2, "no result of other settings");
  }

  @Test
  void stepsCountForWarmUpToo() throws IOException {
    TrainConfig config = runner().config(new Sweep.Point(new Shape(8, 1, 16), 50, 30));
    assertEquals(5, config.schedule().warmup());
    assertEquals(50, config.run().evalEvery());
    assertEquals(30, config.data().trainSize());
    assertEquals(
        100,
        runner()
            .config(new Sweep.Point(new Shape(8, 1, 16), 5000, 0))
            .schedule()
            .warmup());
  }

  @Test
  void saysWhatIsWrong() {
    assertThrows(IllegalArgumentException.class, () -> new Sweep.Point(new Shape(8, 1, 8), 0, 0));
    assertThrows(
        IllegalArgumentException.class, () -> Sweep.grid(List.of(), List.of(1), List.of(8), List.of(1L), List.of(0)));
  }
}
