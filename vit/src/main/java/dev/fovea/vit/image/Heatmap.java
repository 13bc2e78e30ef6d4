package dev.fovea.vit.image;

import java.awt.image.BufferedImage;
import java.util.Arrays;

/** A picture in grey with values of its patches over it in colour. */
final class Heatmap {
  /** Values from here on, as a share of all, are the brightest: one outlier leaves the others visible. */
  private static final double BRIGHTEST = 0.99;

  private Heatmap() {}

  /**
   * Draws a heat map.
   *
   * @param values of {@code rows * columns} patches; the smallest is shown as 0
   */
  static BufferedImage draw(Picture picture, float[] values, int rows, int columns, int width, int height) {
    byte[] rgb = Resize.to(width, height, picture, Interpolation.BICUBIC).samples();
    float[] scaled = scaled(values);
    BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    for (int y = 0; y < height; y++) {
      for (int x = 0; x < width; x++) {
        double value = at(scaled, rows, columns, (y + 0.5) / height * rows - 0.5, (x + 0.5) / width * columns - 0.5);
        int grey = grey(rgb, 3 * (y * width + x));
        image.setRGB(x, y, ColorMap.mix(grey * 0x010101, ColorMap.color(value), 0.45 + 0.35 * value));
      }
    }
    return image;
  }

  private static float[] scaled(float[] values) {
    float[] sorted = values.clone();
    Arrays.sort(sorted);
    float least = sorted[0];
    float most = sorted[(int) Math.ceil(BRIGHTEST * (sorted.length - 1))];
    float[] scaled = new float[values.length];
    for (int i = 0; i < values.length; i++) {
      scaled[i] = most > least ? Math.min(1, (values[i] - least) / (most - least)) : 0;
    }
    return scaled;
  }

  /** Between the middles of patches values run linearly. */
  private static double at(float[] values, int rows, int columns, double y, double x) {
    double top = Math.clamp(y, 0.0, rows - 1.0);
    double left = Math.clamp(x, 0.0, columns - 1.0);
    int y0 = (int) top;
    int x0 = (int) left;
    int y1 = Math.min(rows - 1, y0 + 1);
    int x1 = Math.min(columns - 1, x0 + 1);
    double down = top - y0;
    double right = left - x0;
    double above = values[y0 * columns + x0] * (1 - right) + values[y0 * columns + x1] * right;
    double below = values[y1 * columns + x0] * (1 - right) + values[y1 * columns + x1] * right;
    return above * (1 - down) + below * down;
  }

  private static int grey(byte[] rgb, int at) {
    return (299 * (rgb[at] & 0xff) + 587 * (rgb[at + 1] & 0xff) + 114 * (rgb[at + 2] & 0xff)) / 1000;
  }
}
