package dev.fovea.vit.cli;

import dev.fovea.tensor.io.AtomicFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.ParameterException;

/** A plot on its way into a PNG file, which appears as a whole or not at all. */
final class PictureFile {
  private PictureFile() {}

  /** Draws a picture. */
  interface Drawing {
    void to(OutputStream out) throws IOException;
  }

  static void check(CommandLine command, Path file) {
    if (!file.toString().toLowerCase(Locale.ROOT).endsWith(".png")) {
      throw new ParameterException(command, "--out: got " + file + ", expected a name that ends in .png");
    }
  }

  static void write(Path file, Drawing drawing) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    drawing.to(bytes);
    AtomicFile.write(file, channel -> {
      ByteBuffer buffer = ByteBuffer.wrap(bytes.toByteArray());
      while (buffer.hasRemaining()) {
        channel.write(buffer);
      }
    });
  }
}
