package dev.fovea.vit.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.random.RandomGenerator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** A process that trains is killed again and again; what it leaves goes on to the same bits. */
final class KillTest {
  private static final long PATIENCE = TimeUnit.SECONDS.toNanos(60);

  @TempDir
  private Path folder;

  /** Trains in a folder, from wherever that is. */
  static final class Child {
    public static void main(String[] args) throws IOException {
      Path folder = Path.of(args[0]);
      var listener = new TrainRunTest.Recorder();
      try (TrainRun run = RunFolder.holdsRun(folder)
          ? TrainRun.resume(folder, listener)
          : TrainRun.start(ConfigFile.read(null, settings()), folder, listener)) {
        run.train(() -> false);
      }
    }
  }

  /** A checkpoint after every step, and large enough to take a while. */
  private static Map<String, Object> settings() {
    Map<String, Object> settings = TrainRunTest.tiny();
    settings.put("model.width", 256);
    settings.put("run.steps", 40);
    settings.put("run.eval_every", 11);
    settings.put("run.checkpoint_every", 1);
    settings.put("run.recompute", "selective");
    return settings;
  }

  @Test
  void goesOnAfterBeingKilled() throws Exception {
    Path whole = folder.resolve("whole");
    Path killed = folder.resolve("killed");
    try (TrainRun run = TrainRun.start(ConfigFile.read(null, settings()), whole, new TrainRunTest.Recorder())) {
      run.train(() -> false);
    }
    RandomGenerator random = RandomGenerator.of("L64X128MixRandom");
    killWhen(killed, () -> writing(killed));
    int least = 4 + random.nextInt(10);
    killWhen(killed, () -> lines(killed) >= least);
    assertEquals(0, child(killed).waitFor());
    TrainRunTest.same(whole, killed);
    try (Stream<Path> files = Files.list(killed.resolve("checkpoints"))) {
      assertTrue(files.noneMatch(file -> file.toString().endsWith(".part")), "nothing is left of what was cut off");
    }
  }

  /** Whether a checkpoint is being written that is not the first. */
  private static boolean writing(Path run) {
    Path checkpoints = run.resolve("checkpoints");
    if (!Files.isDirectory(checkpoints)) {
      return false;
    }
    try (Stream<Path> files = Files.list(checkpoints)) {
      List<String> names = files.map(file -> file.getFileName().toString()).toList();
      return names.size() > 1 && names.stream().anyMatch(name -> name.endsWith(".part"));
    } catch (IOException e) {
      return false;
    }
  }

  private static long lines(Path run) {
    try (Stream<String> lines = Files.lines(run.resolve("metrics.jsonl"))) {
      return lines.count();
    } catch (IOException e) {
      return 0;
    }
  }

  private static void killWhen(Path run, BooleanSupplier ready) throws Exception {
    Process process = child(run);
    long start = System.nanoTime();
    while (!ready.getAsBoolean()) {
      assertTrue(process.isAlive(), "the child ended before it could be killed");
      assertTrue(System.nanoTime() - start < PATIENCE, "the child does not get anywhere");
    }
    process.destroyForcibly().waitFor();
  }

  private static Process child(Path run) throws IOException {
    return new ProcessBuilder(ChildJvm.command(Child.class.getName(), run.toString()))
        .inheritIO()
        .start();
  }
}
