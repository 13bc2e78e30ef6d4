package dev.fovea.vit.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The disk gets full, once in every file that a run writes: the run says so, and goes on to the same bits later. */
final class FullDiskTest {
  @TempDir
  private Path folder;

  private static Map<String, Object> settings() {
    Map<String, Object> settings = TrainRunTest.tiny();
    settings.put("model.width", 16);
    settings.put("model.depth", 1);
    settings.put("data.val_size", 10);
    settings.put("run.steps", 5);
    settings.put("run.keep", 1);
    settings.put("run.recompute", "selective");
    return settings;
  }

  /** What ended the run, or null. */
  private static @Nullable IOException train(Path to, TrainRunTest.Recorder recorder) {
    try (TrainRun run = TrainRun.start(ConfigFile.read(null, settings()), to, recorder)) {
      run.train(() -> false);
      return null;
    } catch (IOException e) {
      return e;
    }
  }

  @Test
  void everyFileMayBeTheOneThatDoesNotFit() throws IOException {
    Path whole = folder.resolve("whole");
    FullDisk roomy = new FullDisk();
    assertEquals(null, train(roomy.on(whole), new TrainRunTest.Recorder()));
    List<String> files = roomy.opened();
    assertTrue(files.size() > 12, "the lock, run.yaml, metrics, checkpoints, model, pictures: " + files);
    for (int file = 1; file < files.size(); file++) {
      for (long bytes : new long[] {0, 100}) {
        fails(files.get(file), file, bytes, whole);
      }
    }
    int metrics = files.indexOf(whole.resolve("metrics.jsonl").toString());
    fails("the line of a later step", metrics, 500, whole);
  }

  /** The metrics that a run writes anew when it goes on have no room either. */
  @Test
  void aFullDiskStaysFull() throws IOException {
    Path to = folder.resolve("run");
    FullDisk disk = new FullDisk();
    TrainRunTest.Recorder recorder = new TrainRunTest.Recorder();
    recorder.stopAfter = 3;
    try (TrainRun run = TrainRun.start(ConfigFile.read(null, settings()), to, recorder)) {
      run.train(recorder::stop);
    }
    disk.fillAt(1, 0);
    IOException failed = null;
    try (TrainRun run = TrainRun.resume(disk.on(to), recorder)) {
      run.train(() -> false);
    } catch (IOException e) {
      failed = e;
    }
    assertEquals(
        "%s could not be written (%s); the last good checkpoint is that of step 3: --resume goes on from there"
            .formatted(to.resolve("metrics.jsonl"), FullDisk.REASON),
        failed == null ? "" : failed.getMessage());
    assertFalse(Files.exists(to.resolve("metrics.jsonl.part")));
    assertEquals(3, Metrics.read(to.resolve("metrics.jsonl")).size(), "what was there stays");
  }

  private void fails(String name, int file, long bytes, Path whole) throws IOException {
    String what = "%s, after %d bytes".formatted(name, bytes);
    Path to = folder.resolve("run-%d-%d".formatted(file, bytes));
    FullDisk disk = new FullDisk();
    disk.fillAt(file, bytes);
    TrainRunTest.Recorder recorder = new TrainRunTest.Recorder();
    IOException failed = train(disk.on(to), recorder);
    String said = failed == null ? String.join("\n", recorder.messages) : String.valueOf(failed.getMessage());
    assertTrue(said.contains("(" + FullDisk.REASON + ")"), what + ": " + said);
    assertTrue(failed == null || said.contains(to.toString()), what + ": " + said);
    noParts(to, what);
    boolean begun = RunFolder.holdsRun(to);
    assertEquals(file > 1, begun, what + ": a run that could not begin leaves nothing");
    assertEquals(file > 1, Files.exists(to), what);
    TrainRunTest.Recorder again = new TrainRunTest.Recorder();
    try (TrainRun run =
        begun ? TrainRun.resume(to, again) : TrainRun.start(ConfigFile.read(null, settings()), to, again)) {
      if (said.contains("the last good checkpoint is that of step ")) {
        String step = said.replaceFirst("(?s).*that of step (\\d+): --resume goes on from there.*", "$1");
        assertTrue(again.messages.contains("going on from step " + step), what + ": " + said + again.messages);
      }
      run.train(() -> false);
    }
    TrainRunTest.same(whole, to);
    for (String picture : List.of("curves.png", "confusion.png", "samples.png", "attention.png")) {
      assertTrue(Files.size(to.resolve(picture)) > 100, what + ": " + picture);
    }
  }

  private static void noParts(Path run, String what) throws IOException {
    if (Files.exists(run)) {
      try (Stream<Path> files = Files.walk(run)) {
        List<Path> parts = files
            .filter(file -> file.getFileName().toString().matches(".*\\.part|\\.fovea-.*"))
            .toList();
        assertEquals(List.of(), parts, what);
      }
    }
  }
}
