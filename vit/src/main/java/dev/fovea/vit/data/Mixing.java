package dev.fovea.vit.data;

/**
 * Mixes each picture of a batch with the one at the opposite place: with probability one half as mixup (Zhang et al.,
 * 2018), else as cutmix (Yun et al., 2019), if both are on.
 *
 * @param mixup the alpha of Beta(alpha, alpha), which the share is drawn from; 0 for off, at most 1
 * @param cutmix the same for the area that is cut out
 */
public record Mixing(double mixup, double cutmix) {
  /** Pictures stay apart. */
  public static final Mixing NONE = new Mixing(0, 0);

  public Mixing {
    if (!(mixup >= 0 && mixup <= 1 && cutmix >= 0 && cutmix <= 1)) {
      throw new IllegalArgumentException(
          "mixup, cutmix: got %s, %s, expected numbers from 0 to 1".formatted(mixup, cutmix));
    }
  }

  /** Whether anything is mixed. */
  public boolean on() {
    return mixup > 0 || cutmix > 0;
  }

  /**
   * Mixes in place.
   *
   * @param pixels [batch, channels, height, width]
   * @return targets [batch, classes]
   */
  float[] apply(RandomStream random, float[] pixels, int[] labels, int classes, int height, int width) {
    int batch = labels.length;
    int size = pixels.length / batch;
    boolean blend = mixup > 0 && (cutmix == 0 || random.chance(0.5));
    float[] original = pixels.clone();
    double share;
    if (blend) {
      share = random.beta(mixup);
      for (int i = 0; i < pixels.length; i++) {
        int partner = (batch - 1 - i / size) * size + i % size;
        pixels[i] = (float) (share * original[i] + (1 - share) * original[partner]);
      }
    } else {
      share = cut(random, pixels, original, size, height, width);
    }
    float[] targets = new float[batch * classes];
    for (int b = 0; b < batch; b++) {
      targets[b * classes + labels[b]] += (float) share;
      targets[b * classes + labels[batch - 1 - b]] += (float) (1 - share);
    }
    return targets;
  }

  /** Puts a box of each partner into each picture; returns the share of the area that is left. */
  private double cut(RandomStream random, float[] pixels, float[] original, int size, int height, int width) {
    double side = Math.sqrt(1 - random.beta(cutmix));
    int y = random.below(height);
    int x = random.below(width);
    int top = Math.max(0, y - (int) (height * side) / 2);
    int bottom = Math.min(height, y + (int) (height * side) / 2);
    int left = Math.max(0, x - (int) (width * side) / 2);
    int right = Math.min(width, x + (int) (width * side) / 2);
    int rows = size / width;
    int batch = pixels.length / size;
    for (int b = 0; b < batch; b++) {
      for (int row = 0; row < rows; row++) {
        if (row % height >= top && row % height < bottom && left < right) {
          int from = (batch - 1 - b) * size + row * width;
          System.arraycopy(original, from + left, pixels, b * size + row * width + left, right - left);
        }
      }
    }
    return 1 - (double) Math.max(0, bottom - top) * Math.max(0, right - left) / (height * width);
  }
}
