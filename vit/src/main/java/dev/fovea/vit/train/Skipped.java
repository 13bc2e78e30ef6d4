package dev.fovea.vit.train;

import dev.fovea.vit.data.Batches;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.TreeSet;

/** Tells which pictures could not be read: the first few as they are met, all of them in a file of the run. */
final class Skipped {
  private static final int MOST = 10;

  private final Path file;
  private final Listener listener;
  private final TreeSet<String> told = new TreeSet<>();

  Skipped(Path file, Listener listener) {
    this.file = file;
    this.listener = listener;
  }

  /** Tells those that these batches met since the last time. */
  void tell(Batches... batches) {
    int before = told.size();
    for (Batches some : batches) {
      for (String reason : some.broken().values()) {
        if (told.add(reason) && told.size() <= MOST) {
          listener.message("left out: " + reason);
        }
      }
    }
    if (told.size() > before) {
      write();
    }
  }

  private void write() {
    try {
      Files.write(file, told);
    } catch (IOException e) {
      listener.message("%s could not be written (%s)".formatted(file, Checkpoints.reason(e)));
      return;
    }
    if (told.size() > MOST) {
      listener.message("%,d pictures cannot be read so far; all are listed in %s".formatted(told.size(), file));
    }
  }
}
