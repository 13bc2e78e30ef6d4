package dev.fovea.vit.train;

import dev.fovea.tensor.Tensor;
import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** The checkpoints of a run, one file for each: the last few are kept, and the best. */
final class Checkpoints {
  private static final Pattern NAME = Pattern.compile("step-(\\d+)\\.safetensors");
  /** What a writer leaves that was killed. */
  private static final Pattern PART = Pattern.compile("\\.fovea-[0-9a-f]+\\.part");

  private final Path folder;
  private final int keep;

  Checkpoints(Path folder, int keep) {
    this.folder = folder;
    this.keep = keep;
  }

  Path file(long step) {
    return folder.resolve("step-%08d.safetensors".formatted(step));
  }

  /** All there are, by step. */
  NavigableMap<Long, Path> all() throws IOException {
    NavigableMap<Long, Path> found = new TreeMap<>();
    if (Files.isDirectory(folder)) {
      try (Stream<Path> files = Files.list(folder)) {
        files.forEach(file -> {
          Matcher name = NAME.matcher(file.getFileName().toString());
          if (name.matches()) {
            found.put(Long.parseLong(name.group(1)), file);
          }
        });
      }
    }
    return found;
  }

  /**
   * Writes one, then removes those that need not be kept.
   *
   * @throws IOException with the last good checkpoint named, which stays as it was
   */
  void write(RunState checkpoint, Map<String, Tensor> tensors) throws IOException {
    try {
      Files.createDirectories(folder);
      checkpoint.write(file(checkpoint.step()), tensors);
    } catch (IOException e) {
      throw new IOException(
          "the checkpoint of step %d could not be written to %s (%s); %s"
              .formatted(checkpoint.step(), folder, reason(e), advice(checkpoint.step())),
          e);
    }
    prune(checkpoint.bestStep());
  }

  /** What can be done when a step failed. */
  String advice(long failed) throws IOException {
    Long last = all().lowerKey(failed);
    return last == null
        ? "there is no checkpoint yet"
        : "the last good checkpoint is that of step %d: --resume goes on from there".formatted(last);
  }

  /** Why something could not be written, in few words. */
  static String reason(IOException e) {
    if (e instanceof AccessDeniedException) {
      return "no permission to write there";
    }
    String own = e instanceof FileSystemException system ? system.getReason() : e.getMessage();
    return own == null ? e.toString() : own;
  }

  private void prune(long best) throws IOException {
    if (keep == 0) {
      return;
    }
    List<Long> steps = new ArrayList<>(all().keySet());
    for (long step : steps.subList(0, Math.max(0, steps.size() - keep))) {
      if (step != best) {
        Files.deleteIfExists(file(step));
      }
    }
  }

  /**
   * Reads the latest that is whole; damaged ones are named and passed over.
   *
   * @param tensors filled with what is read
   */
  Optional<RunState> readLatest(Map<String, Tensor> tensors, Consumer<String> warn) throws IOException {
    removeParts();
    IOException failure = null;
    for (Path file : all().descendingMap().values()) {
      try {
        return Optional.of(RunState.read(file, tensors));
      } catch (IOException e) {
        warn.accept(e.getMessage());
        failure = e;
      }
    }
    if (failure != null) {
      throw failure;
    }
    return Optional.empty();
  }

  private void removeParts() throws IOException {
    if (Files.isDirectory(folder)) {
      List<Path> parts;
      try (Stream<Path> files = Files.list(folder)) {
        parts = files
            .filter(file -> PART.matcher(file.getFileName().toString()).matches())
            .toList();
      }
      for (Path part : parts) {
        Files.deleteIfExists(part);
      }
    }
  }
}
