package dev.fovea.vit.train;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.NavigableMap;
import java.util.stream.Collectors;

/**
 * Branches a run off another at one of its checkpoints, whose learning rate falls to 0 in a straight line from there:
 * one long run gives a model for each of many lengths (Scaling ViT, appendix B). The branch is the run that would have
 * been if the cool-down had been planned from the start, bit for bit.
 */
public final class Cooldown {
  private Cooldown() {}

  /**
   * The last step that a run has a checkpoint of.
   *
   * @throws IOException if there is no run, or no checkpoint
   */
  public static long latest(Path run) throws IOException {
    NavigableMap<Long, Path> found = checkpoints(run);
    if (found.isEmpty()) {
      throw new NoSuchFileException(run.toString(), null, "has no checkpoint yet");
    }
    return found.lastKey();
  }

  private static NavigableMap<Long, Path> checkpoints(Path run) throws IOException {
    if (!RunFolder.holdsRun(run)) {
      throw new NoSuchFileException(run.toString(), null, "holds no run");
    }
    return new Checkpoints(RunFolder.checkpoints(run), 0).all();
  }

  /**
   * Makes the branch, to be trained.
   *
   * @param run the run to branch off, which may go on meanwhile
   * @param at a step that it has a checkpoint of
   * @param steps of the cool-down
   * @param folder of the new run
   * @throws IllegalArgumentException if there is no such checkpoint, or the learning rate falls already
   * @throws IOException if something cannot be read or written
   */
  public static TrainRun begin(Path run, long at, long steps, Path folder, Listener listener) throws IOException {
    Path checkpoint = checkpoints(run).get(at);
    if (checkpoint == null) {
      String there = checkpoints(run).keySet().stream().map(String::valueOf).collect(Collectors.joining(", "));
      throw new IllegalArgumentException(
          "at: got %d, expected a step that %s has a checkpoint of: %s; a run with --keep 0 keeps all"
              .formatted(at, run, there.isEmpty() ? "there is none yet" : there));
    }
    if (steps < 1) {
      throw new IllegalArgumentException("steps: got " + steps + ", expected at least 1");
    }
    TrainConfig config = RunFolder.read(run);
    check(run, config, at);
    if (RunFolder.holdsRun(folder)) {
      throw new IOException(
          folder + ": holds a run already; go on with it with --resume, or choose another with --out");
    }
    copy(checkpoint, RunFolder.checkpoints(folder).resolve(checkpoint.getFileName()));
    copy(RunFolder.metrics(run), RunFolder.metrics(folder));
    RunFolder.create(folder, config.cooled(at, steps)).close();
    listener.message("a cool-down of %d steps from step %d of %s".formatted(steps, at, run));
    return TrainRun.resume(folder, listener);
  }

  private static void check(Path run, TrainConfig config, long at) {
    TrainConfig.Rate schedule = config.schedule();
    if (schedule.curve() == TrainConfig.Curve.COSINE) {
      throw new IllegalArgumentException(
          "the learning rate of %s is a cosine, which falls to 0 by itself: a cool-down is for runs with --schedule rsqrt or constant"
              .formatted(run));
    }
    if (schedule.cooldown() > 0 && at > config.run().steps() - schedule.cooldown()) {
      throw new IllegalArgumentException("at: got %d, where the learning rate of %s falls already, expected at most %d"
          .formatted(at, run, config.run().steps() - schedule.cooldown()));
    }
    if (at < schedule.warmup()) {
      throw new IllegalArgumentException("at: got %d, where the learning rate of %s still rises, expected at least %d"
          .formatted(at, run, schedule.warmup()));
    }
  }

  /** The file appears whole or not at all. */
  private static void copy(Path from, Path to) throws IOException {
    Path aside = to.resolveSibling(to.getFileName() + ".part");
    try {
      Files.createDirectories(to.toAbsolutePath().getParent());
      Files.copy(from, aside, StandardCopyOption.REPLACE_EXISTING);
      Files.move(aside, to, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      Files.deleteIfExists(aside);
      throw new IOException("%s could not be copied to %s (%s)".formatted(from, to, Checkpoints.reason(e)), e);
    }
  }
}
