package dev.fovea.vit.train;

import dev.fovea.tensor.io.AtomicFile;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.BitmapEncoder.BitmapFormat;
import org.knowm.xchart.internal.chartpart.Chart;

/** Pictures of a run, each of which appears whole or not at all. */
final class Png {
  private Png() {}

  static void write(BufferedImage image, Path file) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    ImageIO.write(image, "png", bytes);
    write(bytes, file);
  }

  /** Charts beside each other. */
  static void write(List<? extends Chart<?, ?>> charts, Path file) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    BitmapEncoder.saveBitmap(List.copyOf(charts), 1, charts.size(), bytes, BitmapFormat.PNG);
    write(bytes, file);
  }

  private static void write(ByteArrayOutputStream bytes, Path file) throws IOException {
    AtomicFile.write(file, channel -> {
      ByteBuffer rest = ByteBuffer.wrap(bytes.toByteArray());
      while (rest.hasRemaining()) {
        channel.write(rest);
      }
    });
  }
}
