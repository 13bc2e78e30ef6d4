package dev.fovea.vit.train;

import dev.fovea.tensor.io.AtomicFile;
import dev.fovea.vit.model.VisionTransformer;
import dev.fovea.vit.weights.ModelWriter;
import dev.fovea.vit.weights.Notes;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;

/** Where a run keeps what it makes; used by one process at a time. */
final class RunFolder implements AutoCloseable {
  private static final String CONFIG = "run.yaml";
  private static final String LOCK = ".lock";

  private final Path folder;
  private final TrainConfig config;
  private final FileChannel lock;

  private RunFolder(Path folder, TrainConfig config) throws IOException {
    this.folder = folder;
    this.config = config;
    lock = FileChannel.open(folder.resolve(LOCK), StandardOpenOption.CREATE, StandardOpenOption.WRITE);
    FileLock held = null;
    try {
      held = lock.tryLock();
    } catch (java.nio.channels.OverlappingFileLockException e) {
      // This process has it: reported below, as if another had.
    }
    if (held == null) {
      lock.close();
      throw new IOException(folder + ": another process is training there");
    }
  }

  /** Whether there is a run. */
  static boolean holdsRun(Path folder) {
    return Files.exists(folder.resolve(CONFIG));
  }

  static RunFolder create(Path folder, TrainConfig config) throws IOException {
    if (holdsRun(folder)) {
      throw new IOException(
          folder + ": holds a run already; go on with it with --resume, or choose another folder with --out");
    }
    try {
      Files.createDirectories(folder);
      RunFolder made = new RunFolder(folder, config);
      try {
        made.describe();
      } catch (IOException e) {
        made.abandon();
        throw e;
      }
      return made;
    } catch (AccessDeniedException e) {
      throw new IOException(folder + ": no permission to write there", e);
    } catch (FileAlreadyExistsException e) {
      throw new IOException(e.getFile() + ": is a file, expected a folder", e);
    } catch (FileSystemException e) {
      throw new IOException(
          "%s: the folder cannot be made: %s".formatted(folder, e.getReason() == null ? e : e.getReason()), e);
    }
  }

  private void describe() throws IOException {
    Path file = folder.resolve(CONFIG);
    try {
      ByteBuffer text = StandardCharsets.UTF_8.encode(ConfigFile.write(config));
      AtomicFile.write(file, channel -> {
        while (text.hasRemaining()) {
          channel.write(text);
        }
      });
    } catch (IOException e) {
      throw new IOException("%s could not be written (%s)".formatted(file, Checkpoints.reason(e)), e);
    }
  }

  static RunFolder open(Path folder) throws IOException {
    if (!holdsRun(folder)) {
      throw new NoSuchFileException(folder.toString(), null, "holds no run to go on with");
    }
    return new RunFolder(folder, ConfigFile.read(folder.resolve(CONFIG), Map.of()));
  }

  /** The configuration of a run that may be in use. */
  static TrainConfig read(Path folder) throws IOException {
    if (!holdsRun(folder)) {
      throw new NoSuchFileException(folder.toString(), null, "holds no run");
    }
    return ConfigFile.read(folder.resolve(CONFIG), Map.of());
  }

  TrainConfig config() {
    return config;
  }

  Path checkpoints() {
    return checkpoints(folder);
  }

  static Path checkpoints(Path folder) {
    return folder.resolve("checkpoints");
  }

  Path skipped() {
    return folder.resolve("skipped.txt");
  }

  Path metrics() {
    return metrics(folder);
  }

  static Path metrics(Path folder) {
    return folder.resolve("metrics.jsonl");
  }

  /** Where the trained model goes. */
  Path model() {
    return folder.resolve("model");
  }

  /** Writes the model in the form of {@link dev.fovea.vit.Vit#load}. */
  void save(VisionTransformer model, List<String> classes) throws IOException {
    Notes notes = Notes.of(model.config().classes() == 0 ? List.of() : classes, model.config());
    ModelWriter.save(model(), model.config(), model.parameters(), notes);
  }

  /** Draws how it went; a machine that cannot draw is no reason to fail. */
  void draw(Objective objective, Pictures pictures, Evaluation evaluation, Listener listener) {
    try {
      Plots.curves(Metrics.read(metrics()), folder.resolve("curves.png"));
      objective.draw(pictures, evaluation, folder);
    } catch (IOException e) {
      listener.message("not all pictures of the run could be written (%s); --resume draws them again"
          .formatted(Checkpoints.reason(e)));
    } catch (RuntimeException | LinkageError | InternalError e) {
      listener.message("pictures of the run could not be drawn: " + e);
    }
  }

  /** Takes back what {@link #create} made: a run that could not begin is in nobody's way. */
  void abandon() throws IOException {
    lock.close();
    Files.deleteIfExists(folder.resolve(CONFIG));
    Files.deleteIfExists(folder.resolve(LOCK));
    try {
      Files.deleteIfExists(folder);
    } catch (DirectoryNotEmptyException e) {
      // Was there before, with something else in it.
    }
  }

  @Override
  public void close() throws IOException {
    lock.close();
  }
}
