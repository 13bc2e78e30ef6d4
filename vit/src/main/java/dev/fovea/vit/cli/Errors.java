package dev.fovea.vit.cli;

import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.Objects;

/** What errors are called on the command line. */
final class Errors {
  private Errors() {}

  /** A sentence; the file system's own exceptions may say no more than the file's name. */
  static String sentence(Throwable e) {
    if (e instanceof UncheckedIOException unchecked && unchecked.getCause() instanceof FileSystemException cause) {
      return sentence(cause);
    }
    if (e instanceof FileSystemException system && system.getReason() == null) {
      return switch (system) {
        case NoSuchFileException none -> none.getFile() + ": there is no such file";
        case AccessDeniedException denied -> denied.getFile() + ": no permission";
        default -> system.getFile() + ": " + system.getClass().getSimpleName();
      };
    }
    return Objects.requireNonNullElse(e.getMessage(), e.toString());
  }
}
