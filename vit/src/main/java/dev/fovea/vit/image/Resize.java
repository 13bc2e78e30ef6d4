package dev.fovea.vit.image;

import java.util.Arrays;

/**
 * Resizes pictures in two passes, along rows and then along columns. Pillow's filters work in its arithmetic, 22-bit
 * fixed-point weights and 8-bit samples between the passes, so that results are the same bytes.
 */
final class Resize {
  private Resize() {}

  static Picture to(int width, int height, Picture picture, Interpolation interpolation) {
    if (width == picture.width() && height == picture.height()) {
      return picture;
    }
    ResizeWeights across = new ResizeWeights(picture.width(), width, interpolation);
    ResizeWeights down = new ResizeWeights(picture.height(), height, interpolation);
    byte[] resized = interpolation.rule == Interpolation.Rule.ANTIALIASED
        ? rounded(picture, width, height, across, down)
        : truncated(picture, width, height, across, down);
    return new Picture(width, height, resized);
  }

  private static byte[] rounded(Picture picture, int width, int height, ResizeWeights across, ResizeWeights down) {
    byte[] samples = picture.samples();
    if (width != picture.width()) {
      samples = alongRows(samples, picture.width(), picture.height(), width, across);
    }
    return height == picture.height() ? samples : alongColumns(samples, 3 * width, height, down);
  }

  private static byte[] alongRows(byte[] from, int oldWidth, int height, int width, ResizeWeights across) {
    byte[] to = new byte[Math.toIntExact(3L * width * height)];
    int[] weights = across.fixed();
    for (int y = 0; y < height; y++) {
      int row = 3 * y * oldWidth;
      for (int x = 0, out = 3 * y * width; x < width; x++, out += 3) {
        int red = 1 << ResizeWeights.FRACTION_BITS - 1;
        int green = red;
        int blue = red;
        int at = row + 3 * across.first[x];
        int w = x * across.stride;
        for (int k = 0; k < across.count[x]; k++, at += 3) {
          int weight = weights[w + k];
          red += (from[at] & 0xff) * weight;
          green += (from[at + 1] & 0xff) * weight;
          blue += (from[at + 2] & 0xff) * weight;
        }
        to[out] = clip(red);
        to[out + 1] = clip(green);
        to[out + 2] = clip(blue);
      }
    }
    return to;
  }

  private static byte[] alongColumns(byte[] from, int rowSize, int height, ResizeWeights down) {
    byte[] to = new byte[Math.multiplyExact(rowSize, height)];
    int[] weights = down.fixed();
    int[] sums = new int[rowSize];
    for (int y = 0; y < height; y++) {
      Arrays.fill(sums, 1 << ResizeWeights.FRACTION_BITS - 1);
      for (int k = 0; k < down.count[y]; k++) {
        int weight = weights[y * down.stride + k];
        int row = (down.first[y] + k) * rowSize;
        for (int i = 0; i < rowSize; i++) {
          sums[i] += (from[row + i] & 0xff) * weight;
        }
      }
      for (int i = 0; i < rowSize; i++) {
        to[y * rowSize + i] = clip(sums[i]);
      }
    }
    return to;
  }

  private static byte clip(int sum) {
    return (byte) Math.max(0, Math.min(255, sum >> ResizeWeights.FRACTION_BITS));
  }

  /** In float throughout, cut to whole numbers at the end only. */
  private static byte[] truncated(Picture picture, int width, int height, ResizeWeights across, ResizeWeights down) {
    byte[] from = picture.samples();
    byte[] to = new byte[Math.toIntExact(3L * width * height)];
    int rowSize = 3 * picture.width();
    double[] sums = new double[rowSize];
    for (int y = 0, out = 0; y < height; y++) {
      Arrays.fill(sums, 0);
      for (int k = 0; k < down.count[y]; k++) {
        double weight = down.weights[y * down.stride + k];
        int row = (down.first[y] + k) * rowSize;
        for (int i = 0; i < rowSize; i++) {
          sums[i] += (from[row + i] & 0xff) * weight;
        }
      }
      for (int x = 0; x < width; x++) {
        for (int c = 0; c < 3; c++, out++) {
          double sum = 0;
          for (int k = 0; k < across.count[x]; k++) {
            sum += sums[3 * (across.first[x] + k) + c] * across.weights[x * across.stride + k];
          }
          // Weights sum to 1 but for rounding: a flat 200 must not become 199.
          to[out] = (byte) Math.min(255, (int) (sum + 1e-6));
        }
      }
    }
    return to;
  }
}
