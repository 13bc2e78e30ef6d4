package dev.fovea.vit.image;

/** How pixels between pixels are computed when a picture is resized. */
public enum Interpolation {
  /** The pixel that the middle of the new one falls into. */
  NEAREST(0, Rule.ANTIALIASED),
  /** Pillow's: the mean of what a new pixel covers. */
  BOX(0.5, Rule.ANTIALIASED),
  /** Pillow's: a triangle, as wide as two new pixels when shrinking. */
  BILINEAR(1, Rule.ANTIALIASED),
  /** Pillow's: Hamming's window. */
  HAMMING(1, Rule.ANTIALIASED),
  /** Pillow's: Keys' cubic with a = -1/2. */
  BICUBIC(2, Rule.ANTIALIASED),
  /** Pillow's: a sinc cut off after three lobes. */
  LANCZOS(3, Rule.ANTIALIASED),
  /** TensorFlow's {@code bilinear} with antialias off: of the four nearest pixels, whatever the scale. */
  BILINEAR_PLAIN(1, Rule.PLAIN),
  /** TensorFlow's {@code area}: pixels by the share of them that a new one covers. */
  AREA(0.5, Rule.AREA);

  /** How weights are found. */
  enum Rule {
    /** A filter that widens when shrinking; 8-bit results of each pass are rounded (Pillow). */
    ANTIALIASED,
    /** A filter that does not widen; results are truncated (TensorFlow, then a cast). */
    PLAIN,
    /** By covered area; truncated likewise. */
    AREA
  }

  final double support;
  final Rule rule;

  Interpolation(double support, Rule rule) {
    this.support = support;
    this.rule = rule;
  }

  /** The filter's weight at distance x. */
  double weight(double x) {
    double distance = Math.abs(x);
    return switch (this) {
      case NEAREST, AREA -> 1;
      case BOX -> x > -0.5 && x <= 0.5 ? 1 : 0;
      case BILINEAR, BILINEAR_PLAIN -> Math.max(0, 1 - distance);
      case HAMMING -> distance == 0 ? 1 : distance >= 1 ? 0 : sinc(distance) * (0.54 + 0.46 * Math.cos(Math.PI * x));
      case BICUBIC -> cubic(distance);
      case LANCZOS -> distance < 3 ? sinc(distance) * sinc(distance / 3) : 0;
    };
  }

  private static double cubic(double x) {
    double a = -0.5;
    if (x < 1) {
      return ((a + 2) * x - (a + 3)) * x * x + 1;
    }
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
  }

  private static double sinc(double x) {
    return x == 0 ? 1 : Math.sin(Math.PI * x) / (Math.PI * x);
  }
}
