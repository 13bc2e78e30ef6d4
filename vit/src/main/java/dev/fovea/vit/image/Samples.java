package dev.fovea.vit.image;

import java.awt.color.ColorSpace;
import java.awt.image.BufferedImage;
import java.awt.image.ColorModel;
import java.awt.image.ComponentColorModel;
import java.awt.image.DataBuffer;
import java.awt.image.IndexColorModel;
import java.awt.image.Raster;

/**
 * Takes 8-bit RGB out of ImageIO's images as they are stored. {@link BufferedImage#getRGB} would run colour profiles
 * (and brighten grey, which Java takes for linear light).
 */
final class Samples {
  private Samples() {}

  static byte[] rgb(BufferedImage image) {
    byte[] rgb = new byte[Math.toIntExact(3L * image.getWidth() * image.getHeight())];
    ColorModel colors = image.getColorModel();
    if (colors instanceof IndexColorModel palette) {
      indexed(image.getRaster(), palette, rgb);
    } else if (isPlain(colors)) {
      stored(image.getRaster(), colors.getColorSpace().getType() == ColorSpace.TYPE_GRAY, rgb);
    } else {
      converted(image, rgb);
    }
    return rgb;
  }

  /** Whether each pixel is one grey or three colour samples of 8 or 16 bits, and perhaps alpha. */
  private static boolean isPlain(ColorModel colors) {
    int space = colors.getColorSpace().getType();
    int type = colors.getTransferType();
    return colors instanceof ComponentColorModel
        && !colors.isAlphaPremultiplied()
        && (space == ColorSpace.TYPE_RGB || space == ColorSpace.TYPE_GRAY)
        && (type == DataBuffer.TYPE_BYTE && colors.getComponentSize(0) == 8
            || type == DataBuffer.TYPE_USHORT && colors.getComponentSize(0) == 16);
  }

  private static void stored(Raster raster, boolean grey, byte[] rgb) {
    int width = raster.getWidth();
    int bands = raster.getNumBands();
    int green = grey ? 0 : 1;
    int blue = grey ? 0 : 2;
    byte[] row = new byte[width * bands];
    short[] wide = raster.getTransferType() == DataBuffer.TYPE_USHORT ? new short[row.length] : new short[0];
    int to = 0;
    for (int y = 0; y < raster.getHeight(); y++) {
      Object into = wide.length > 0 ? wide : row;
      raster.getDataElements(raster.getMinX(), raster.getMinY() + y, width, 1, into);
      for (int i = 0; i < wide.length; i++) {
        row[i] = (byte) (wide[i] >> 8);
      }
      for (int at = 0; at < row.length; at += bands, to += 3) {
        rgb[to] = row[at];
        rgb[to + 1] = row[at + green];
        rgb[to + 2] = row[at + blue];
      }
    }
  }

  private static void indexed(Raster raster, IndexColorModel palette, byte[] rgb) {
    int[] colors = new int[palette.getMapSize()];
    palette.getRGBs(colors);
    int width = raster.getWidth();
    int[] row = new int[width];
    for (int y = 0, to = 0; y < raster.getHeight(); y++) {
      raster.getSamples(raster.getMinX(), raster.getMinY() + y, width, 1, 0, row);
      for (int x = 0; x < width; x++, to += 3) {
        put(row[x] < colors.length ? colors[row[x]] : 0, rgb, to);
      }
    }
  }

  private static void converted(BufferedImage image, byte[] rgb) {
    int width = image.getWidth();
    int[] row = new int[width];
    for (int y = 0, to = 0; y < image.getHeight(); y++) {
      image.getRGB(0, y, width, 1, row, 0, width);
      for (int x = 0; x < width; x++, to += 3) {
        put(row[x], rgb, to);
      }
    }
  }

  private static void put(int color, byte[] rgb, int to) {
    rgb[to] = (byte) (color >> 16);
    rgb[to + 1] = (byte) (color >> 8);
    rgb[to + 2] = (byte) color;
  }

  /**
   * RGB of a JPEG's four components, inverted as Adobe stores them: the share of white that each ink leaves.
   *
   * @param ycck whether the first three are luminance and chroma of those
   */
  static byte[] cmyk(Raster raster, boolean ycck) {
    int width = raster.getWidth();
    byte[] rgb = new byte[Math.toIntExact(3L * width * raster.getHeight())];
    int[] row = new int[4 * width];
    for (int y = 0, to = 0; y < raster.getHeight(); y++) {
      raster.getPixels(raster.getMinX(), raster.getMinY() + y, width, 1, row);
      for (int at = 0; at < row.length; at += 4, to += 3) {
        if (ycck) {
          ink(row, at);
        }
        for (int c = 0; c < 3; c++) {
          int product = (255 - row[at + c]) * row[at + 3] + 128;
          rgb[to + c] = (byte) (row[at + 3] - (product + (product >> 8) >> 8));
        }
      }
    }
    return rgb;
  }

  /** The inks of a YCCK pixel, in place: the complement of what JFIF's formulas give. */
  private static void ink(int[] pixel, int at) {
    int y = pixel[at];
    double cb = pixel[at + 1] - 128;
    double cr = pixel[at + 2] - 128;
    pixel[at] = clip(255 - (y + 1.402 * cr));
    pixel[at + 1] = clip(255 - (y - 0.344136 * cb - 0.714136 * cr));
    pixel[at + 2] = clip(255 - (y + 1.772 * cb));
  }

  private static int clip(double sample) {
    return (int) Math.max(0, Math.min(255, Math.round(sample)));
  }
}
