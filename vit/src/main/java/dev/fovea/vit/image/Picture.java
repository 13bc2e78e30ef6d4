package dev.fovea.vit.image;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.regex.Pattern;

/**
 * A decoded picture: 8-bit RGB, row by row from the top left. Immutable.
 *
 * <p>Samples are what the file stores, as Pillow's {@code convert("RGB")} gives them, because models were trained on
 * those: colour profiles are ignored, transparency is dropped, grey is repeated, 16 bits are cut to the upper 8, and
 * CMYK is converted by the plain formula. The EXIF orientation is applied.
 */
public final class Picture {
  /** The most pixels that a file may have unless told otherwise: 100 million. */
  public static final long MAX_PIXELS = 100_000_000;

  private static final Pattern ENDINGS = Pattern.compile("\\.(png|jpe?g|webp|bmp|gif)$", Pattern.CASE_INSENSITIVE);

  private final int width;
  private final int height;
  private final byte[] rgb;

  /** Takes the array over. */
  Picture(int width, int height, byte[] rgb) {
    this.width = width;
    this.height = height;
    this.rgb = rgb;
  }

  /**
   * Reads a PNG, JPEG, WebP, BMP or GIF file (the first picture of an animation), of at most {@link #MAX_PIXELS}.
   *
   * @throws PictureException if it is something else, broken, cut short, or has too many pixels
   * @throws IOException if it cannot be read
   */
  public static Picture read(Path file) throws IOException {
    return read(file, MAX_PIXELS);
  }

  /**
   * As {@link #read(Path)}, with another limit, which is checked before anything is decoded.
   *
   * @param maxPixels width times height
   */
  public static Picture read(Path file, long maxPixels) throws IOException {
    return Decoder.read(file, maxPixels);
  }

  /** Whether a file's name ends as those of pictures do: .png, .jpg, .jpeg, .webp, .bmp or .gif. */
  public static boolean isNamedLikeOne(Path file) {
    return ENDINGS.matcher(file.toString()).find();
  }

  /** The pixels of an image in memory. */
  public static Picture of(BufferedImage image) {
    return new Picture(image.getWidth(), image.getHeight(), Samples.rgb(image));
  }

  /**
   * A picture of these samples.
   *
   * @param rgb {@code 3 * width * height} samples, red, green, blue of the first pixel first
   */
  public static Picture of(int width, int height, byte[] rgb) {
    if (width < 1 || height < 1 || rgb.length != 3L * width * height) {
      throw new IllegalArgumentException(
          "rgb: got %d samples, expected 3 for each of %d x %d pixels".formatted(rgb.length, width, height));
    }
    return new Picture(width, height, rgb.clone());
  }

  /** Pixels from left to right. */
  public int width() {
    return width;
  }

  /** Pixels from top to bottom. */
  public int height() {
    return height;
  }

  /** A copy of the samples: red, green, blue of the first pixel first. */
  public byte[] rgb() {
    return rgb.clone();
  }

  /** The samples themselves, not to be written. */
  byte[] samples() {
    return rgb;
  }

  /** A copy as an image of type {@link BufferedImage#TYPE_INT_RGB}. */
  public BufferedImage toBufferedImage() {
    BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    int[] row = new int[width];
    for (int y = 0; y < height; y++) {
      for (int x = 0, at = 3 * y * width; x < width; x++, at += 3) {
        row[x] = (rgb[at] & 0xff) << 16 | (rgb[at + 1] & 0xff) << 8 | rgb[at + 2] & 0xff;
      }
      image.setRGB(0, y, width, 1, row, 0, width);
    }
    return image;
  }

  @Override
  public String toString() {
    return "picture of %d x %d pixels".formatted(width, height);
  }
}
