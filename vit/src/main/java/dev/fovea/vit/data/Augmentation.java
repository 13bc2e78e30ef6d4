package dev.fovea.vit.data;

/**
 * What happens to a picture on its way to the model.
 *
 * @param crop whether to take a random part of the picture ("inception" crop) instead of all of it
 * @param leastArea smallest part of the picture's area that a crop takes, in (0, 1]; 0.05 in the papers
 * @param flip whether every other picture is mirrored left to right
 */
public record Augmentation(boolean crop, double leastArea, boolean flip) {
  /** The picture as it is, resized where it has another size. */
  public static final Augmentation NONE = new Augmentation(false, 1, false);

  private static final double WIDEST = 4.0 / 3;
  private static final int ATTEMPTS = 10;

  public Augmentation {
    if (!(leastArea > 0 && leastArea <= 1)) {
      throw new IllegalArgumentException("leastArea: got " + leastArea + ", expected a number in (0, 1]");
    }
  }

  /** The part of a picture that becomes input. */
  private record Box(float top, float left, float height, float width) {}

  /**
   * Writes the picture as model input: [channels, height, width] in -1 to 1, resized bilinearly.
   *
   * @param random decides about crop and flip
   * @param out filled from {@code offset} on
   */
  public void apply(LabelledPicture picture, RandomStream random, int height, int width, float[] out, int offset) {
    Box box = crop ? box(picture, random) : new Box(0, 0, picture.height(), picture.width());
    boolean mirrored = flip && random.chance(0.5);
    if (box.height == height && box.width == width && !mirrored && !crop) {
      byte[] pixels = picture.pixels();
      for (int i = 0; i < pixels.length; i++) {
        out[offset + i] = value(pixels[i]);
      }
    } else {
      resize(picture, box, mirrored, height, width, out, offset);
    }
  }

  private static float value(byte pixel) {
    return (pixel & 255) / 127.5f - 1;
  }

  /** A part with an area of {@link #leastArea} to 1 and sides of 3:4 to 4:3 (Szegedy et al., 2015). */
  private Box box(LabelledPicture picture, RandomStream random) {
    double area = (double) picture.height() * picture.width();
    for (int i = 0; i < ATTEMPTS; i++) {
      double part = area * random.uniform(leastArea, 1);
      double aspect = Math.exp(random.uniform(-Math.log(WIDEST), Math.log(WIDEST)));
      int w = (int) Math.round(Math.sqrt(part * aspect));
      int h = (int) Math.round(Math.sqrt(part / aspect));
      if (w > 0 && h > 0 && w <= picture.width() && h <= picture.height()) {
        return new Box(random.below(picture.height() - h + 1), random.below(picture.width() - w + 1), h, w);
      }
    }
    return new Box(0, 0, picture.height(), picture.width());
  }

  private static void resize(
      LabelledPicture picture, Box box, boolean mirrored, int height, int width, float[] out, int offset) {
    byte[] pixels = picture.pixels();
    for (int y = 0; y < height; y++) {
      float sy = box.top + Math.clamp((y + 0.5f) * box.height / height - 0.5f, 0, box.height - 1);
      int y0 = (int) sy;
      int y1 = Math.min(y0 + 1, picture.height() - 1);
      float fy = sy - y0;
      for (int x = 0; x < width; x++) {
        float sx = box.left + Math.clamp((x + 0.5f) * box.width / width - 0.5f, 0, box.width - 1);
        int x0 = (int) sx;
        int x1 = Math.min(x0 + 1, picture.width() - 1);
        float fx = sx - x0;
        int to = offset + y * width + (mirrored ? width - 1 - x : x);
        for (int c = 0; c < picture.channels(); c++) {
          int upper = (c * picture.height() + y0) * picture.width();
          int lower = (c * picture.height() + y1) * picture.width();
          float above = value(pixels[upper + x0]) * (1 - fx) + value(pixels[upper + x1]) * fx;
          float below = value(pixels[lower + x0]) * (1 - fx) + value(pixels[lower + x1]) * fx;
          out[to + c * height * width] = above * (1 - fy) + below * fy;
        }
      }
    }
  }
}
