package dev.fovea.vit.image;

import java.io.IOException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** A file is no picture that can be used: its message names the file and what is wrong with it. */
public final class PictureException extends IOException {
  private static final long serialVersionUID = 1;

  private final String file;

  PictureException(Path file, String wrong, @Nullable Throwable cause) {
    super(file + ": " + wrong, cause);
    this.file = file.toString();
  }

  /** The file. */
  public String file() {
    return file;
  }
}
