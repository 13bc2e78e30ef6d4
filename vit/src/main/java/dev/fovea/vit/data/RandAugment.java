package dev.fovea.vit.data;

import java.util.Arrays;

/**
 * RandAugment (Cubuk et al., 2020): every picture goes through a few operations drawn from fourteen, all of one
 * strength. Operations are those of Pillow on 8-bit samples; what comes into the picture from outside is grey.
 *
 * @param count of operations; 0 for none
 * @param magnitude their strength, 0 to 10, with the ranges of AutoAugment
 */
public record RandAugment(int count, int magnitude) {
  /** Pictures as they are. */
  public static final RandAugment NONE = new RandAugment(0, 0);

  private static final int MOST = 10;
  private static final byte GREY = (byte) 128;

  public RandAugment {
    if (count < 0 || count > MOST || magnitude < 0 || magnitude > MOST) {
      throw new IllegalArgumentException("rand_augment: got %d operations of magnitude %d, expected 0 to %d of 0 to %d"
          .formatted(count, magnitude, MOST, MOST));
    }
  }

  /**
   * Operations and magnitude as they are written, {@code 2,9}; an empty text is {@link #NONE}.
   *
   * @throws IllegalArgumentException if it is something else
   */
  public static RandAugment parse(String text) {
    if (text.isBlank()) {
      return NONE;
    }
    String[] numbers = text.split(",", -1);
    try {
      if (numbers.length == 2) {
        return new RandAugment(Integer.parseInt(numbers[0].strip()), Integer.parseInt(numbers[1].strip()));
      }
    } catch (NumberFormatException e) {
      // Said below.
    }
    throw new IllegalArgumentException(
        "rand_augment: got %s, expected the number of operations and their magnitude, as in 2,9".formatted(text));
  }

  /** Whether anything is done. */
  public boolean on() {
    return count > 0;
  }

  /** What can happen to a picture. */
  enum Operation {
    IDENTITY,
    AUTO_CONTRAST,
    EQUALIZE,
    ROTATE,
    SOLARIZE,
    COLOR,
    POSTERIZE,
    CONTRAST,
    BRIGHTNESS,
    SHARPNESS,
    SHEAR_X,
    SHEAR_Y,
    TRANSLATE_X,
    TRANSLATE_Y;

    /**
     * The picture after this.
     *
     * @param strength 0 to 1, negative for the other direction where there is one
     */
    LabelledPicture apply(LabelledPicture picture, double strength) {
      double share = Math.abs(strength);
      return switch (this) {
        case IDENTITY -> picture;
        case AUTO_CONTRAST -> Tones.autoContrast(picture);
        case EQUALIZE -> Tones.equalize(picture);
        case SOLARIZE -> Tones.solarize(picture, 256 - (int) Math.round(256 * share));
        case POSTERIZE -> Tones.posterize(picture, 8 - (int) Math.round(4 * share));
        case COLOR -> Tones.color(picture, 1 + 0.9 * strength);
        case CONTRAST -> Tones.contrast(picture, 1 + 0.9 * strength);
        case BRIGHTNESS -> Tones.brightness(picture, 1 + 0.9 * strength);
        case SHARPNESS -> Tones.sharpness(picture, 1 + 0.9 * strength);
        case ROTATE -> rotated(picture, Math.toRadians(30 * strength));
        case SHEAR_X -> moved(picture, 1, 0.3 * strength, 0, 0, 1, 0);
        case SHEAR_Y -> moved(picture, 1, 0, 0, 0.3 * strength, 1, 0);
        case TRANSLATE_X -> moved(picture, 1, 0, TRANSLATION * strength * picture.width(), 0, 1, 0);
        case TRANSLATE_Y -> moved(picture, 1, 0, 0, 0, 1, TRANSLATION * strength * picture.height());
      };
    }

    /** Of a side: 150 of 331 pixels in AutoAugment. */
    private static final double TRANSLATION = 150.0 / 331;

    /** Counter-clockwise about the middle. */
    private static LabelledPicture rotated(LabelledPicture picture, double angle) {
      double cos = StrictMath.cos(angle);
      double sin = StrictMath.sin(angle);
      double x = picture.width() / 2.0;
      double y = picture.height() / 2.0;
      return moved(picture, cos, -sin, x - cos * x + sin * y, sin, cos, y - sin * x - cos * y);
    }

    /** Each pixel from where {@code (a x + b y + c, d x + e y + f)} is, the nearest; grey where that is outside. */
    private static LabelledPicture moved(
        LabelledPicture picture, double a, double b, double c, double d, double e, double f) {
      int width = picture.width();
      int height = picture.height();
      int plane = width * height;
      byte[] from = picture.pixels();
      byte[] to = new byte[from.length];
      Arrays.fill(to, GREY);
      for (int y = 0; y < height; y++) {
        for (int x = 0; x < width; x++) {
          double sx = a * (x + 0.5) + b * (y + 0.5) + c;
          double sy = d * (x + 0.5) + e * (y + 0.5) + f;
          if (sx >= 0 && sy >= 0 && sx < width && sy < height) {
            int row = (int) sy;
            int column = (int) sx;
            int source = row * width + column;
            for (int at = 0; at < to.length; at += plane) {
              to[at + y * width + x] = from[at + source];
            }
          }
        }
      }
      return new LabelledPicture(picture.channels(), height, width, to, picture.label());
    }
  }

  /** The picture after so many operations. */
  LabelledPicture apply(LabelledPicture picture, RandomStream random) {
    LabelledPicture result = picture;
    Operation[] all = Operation.values();
    for (int i = 0; i < count; i++) {
      Operation operation = all[random.below(all.length)];
      double strength = (double) magnitude / MOST;
      result = operation.apply(result, random.chance(0.5) ? -strength : strength);
    }
    return result;
  }

  /** As {@link #apply(LabelledPicture, RandomStream)}, on one picture of a batch: values from -1 to 1. */
  void apply(float[] pixels, int offset, int channels, int height, int width, RandomStream random) {
    byte[] samples = new byte[channels * height * width];
    for (int i = 0; i < samples.length; i++) {
      samples[i] = (byte) Math.clamp(Math.round((pixels[offset + i] + 1) * 127.5f), 0, 255);
    }
    byte[] changed =
        apply(new LabelledPicture(channels, height, width, samples, 0), random).pixels();
    for (int i = 0; i < changed.length; i++) {
      pixels[offset + i] = (changed[i] & 255) / 127.5f - 1;
    }
  }
}
