package dev.fovea.vit.image;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.Locale;
import java.util.Set;
import javax.imageio.ImageIO;
import javax.imageio.ImageReadParam;
import javax.imageio.ImageReader;
import javax.imageio.ImageTypeSpecifier;
import javax.imageio.stream.ImageInputStream;
import javax.imageio.stream.MemoryCacheImageInputStream;
import org.jspecify.annotations.Nullable;

/** Reads picture files through ImageIO: its own readers of PNG, BMP and GIF, and TwelveMonkeys' of JPEG and WebP. */
final class Decoder {
  private static final Set<String> FORMATS = Set.of("png", "jpeg", "webp", "bmp", "gif");

  private Decoder() {}

  static Picture read(Path file, long maxPixels) throws IOException {
    if (Files.isDirectory(file)) {
      throw new PictureException(file, "is a folder, expected a picture", null);
    }
    if (Files.size(file) == 0) {
      throw new PictureException(file, "is empty, expected a picture", null);
    }
    try (InputStream bytes = Files.newInputStream(file);
        ImageInputStream in = new MemoryCacheImageInputStream(bytes)) {
      FileNotes notes = FileNotes.read(in);
      if (notes.length() > Files.size(file)) {
        throw new PictureException(
            file, "is cut short (has %d bytes of %d)".formatted(Files.size(file), notes.length()), null);
      }
      ImageReader reader = reader(in);
      if (reader == null) {
        throw new PictureException(file, "is no picture, expected PNG, JPEG, WebP, BMP or GIF", null);
      }
      try {
        return decode(file, reader, in, notes, maxPixels);
      } finally {
        reader.dispose();
      }
    } catch (PictureException | FileSystemException e) {
      throw e;
    } catch (IOException | RuntimeException e) {
      // Readers meet broken files with whatever exception comes up.
      String said = e.getMessage();
      throw new PictureException(file, "is broken or cut short" + (said == null ? "" : " (" + said + ")"), e);
    }
  }

  private static @Nullable ImageReader reader(ImageInputStream in) throws IOException {
    for (Iterator<ImageReader> readers = ImageIO.getImageReaders(in); readers.hasNext(); ) {
      ImageReader reader = readers.next();
      if (FORMATS.contains(reader.getFormatName().toLowerCase(Locale.ROOT))) {
        return reader;
      }
      reader.dispose();
    }
    return null;
  }

  private static Picture decode(Path file, ImageReader reader, ImageInputStream in, FileNotes notes, long maxPixels)
      throws IOException {
    String[] cut = new String[1];
    reader.addIIOReadWarningListener((source, warning) -> {
      if (warning.toLowerCase(Locale.ROOT).contains("premature")) {
        cut[0] = warning;
      }
    });
    reader.setInput(in, false, true);
    int width = reader.getWidth(0);
    int height = reader.getHeight(0);
    if ((long) width * height > maxPixels) {
      throw new PictureException(
          file, "has %d x %d pixels, expected at most %d".formatted(width, height, maxPixels), null);
    }
    Picture picture;
    if (notes.components() == 4) {
      picture = new Picture(width, height, Samples.cmyk(reader.readRaster(0, null), notes.adobeTransform() == 2));
    } else {
      BufferedImage image = reader.read(0, asStored(reader));
      picture = new Picture(image.getWidth(), image.getHeight(), Samples.rgb(image));
    }
    if (cut[0] != null) {
      throw new PictureException(file, "is cut short (" + cut[0] + ")", null);
    }
    return Orientation.apply(notes.orientation(), picture);
  }

  /** Asks for the file's own colour space where it can be had: no profile is applied then. */
  private static ImageReadParam asStored(ImageReader reader) throws IOException {
    ImageReadParam param = reader.getDefaultReadParam();
    ImageTypeSpecifier raw = reader.getRawImageType(0);
    for (Iterator<ImageTypeSpecifier> types = reader.getImageTypes(0); types.hasNext(); ) {
      if (types.next().equals(raw)) {
        param.setDestinationType(raw);
      }
    }
    return param;
  }
}
