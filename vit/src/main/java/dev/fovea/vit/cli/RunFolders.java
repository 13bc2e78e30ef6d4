package dev.fovea.vit.cli;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.util.Comparator;
import java.util.stream.Stream;

/** Names of run folders. */
final class RunFolders {
  private RunFolders() {}

  /** The first of {@code run-1, run-2, ...} that is not there. */
  static Path next(Path runs) {
    for (int i = 1; ; i++) {
      Path folder = runs.resolve("run-" + i);
      if (!Files.exists(folder)) {
        return folder;
      }
    }
  }

  /**
   * The run that was written to last.
   *
   * @throws NoSuchFileException if there is none
   */
  static Path latest(Path runs) throws IOException {
    if (Files.isDirectory(runs)) {
      try (Stream<Path> folders = Files.list(runs)) {
        var latest = folders
            .filter(folder -> Files.exists(folder.resolve("run.yaml")))
            .max(Comparator.comparing(RunFolders::written));
        if (latest.isPresent()) {
          return latest.get();
        }
      }
    }
    throw new NoSuchFileException(runs.toString(), null, "holds no run to go on with; name its folder with --out");
  }

  private static FileTime written(Path folder) {
    try {
      Path metrics = folder.resolve("metrics.jsonl");
      return Files.getLastModifiedTime(Files.exists(metrics) ? metrics : folder);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
