package dev.fovea.tensor.io;

import java.io.IOException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A file's content breaks the rules of its format, or lies outside the limits stated by its reader. The message names
 * the file, the tensor if one is concerned, what was found and what was expected.
 */
public final class MalformedFileException extends IOException {
  private static final long serialVersionUID = 1;
  private static final int SHOWN = 200;

  private final String file;
  private final @Nullable String tensor;

  MalformedFileException(String file, @Nullable String tensor, String what, @Nullable Object got, String expected) {
    super(file + ": " + (tensor == null ? "" : "tensor \"" + printable(tensor) + "\": ") + what + ": got "
        + printable(String.valueOf(got)) + ", expected " + expected);
    this.file = file;
    this.tensor = tensor;
  }

  /** The file, as it was named by the caller. */
  public String file() {
    return file;
  }

  /** The tensor at fault, if the fault is one tensor's. */
  public Optional<String> tensor() {
    return Optional.ofNullable(tensor);
  }

  /** Text from a file, cut to a readable length and without control characters. */
  static String printable(String text) {
    StringBuilder shown = new StringBuilder();
    text.codePoints().limit(SHOWN).forEach(c -> {
      if (Character.isISOControl(c)
          || c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE
          || Character.getType(c) == Character.FORMAT) {
        shown.append(String.format("\\u%04x", c));
      } else {
        shown.appendCodePoint(c);
      }
    });
    return text.codePointCount(0, text.length()) > SHOWN ? shown + "..." : shown.toString();
  }
}
