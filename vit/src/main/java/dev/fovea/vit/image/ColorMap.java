package dev.fovea.vit.image;

/** The colours of a heat map, from dark violet over orange to light yellow: as bright as the value is large. */
final class ColorMap {
  /** Support points at equal distances, after matplotlib's "inferno" (public domain). */
  private static final int[] COLORS = {
    0x000004, 0x1b0c41, 0x4a0c6b, 0x781c6d, 0xa52c60, 0xcf4446, 0xed6925, 0xfb9b06, 0xf7d13d, 0xfcffa4
  };

  private ColorMap() {}

  /** The colour of a value between 0 and 1, as 0xRRGGBB. */
  static int color(double value) {
    double at = Math.clamp(value, 0.0, 1.0) * (COLORS.length - 1);
    int below = Math.min((int) at, COLORS.length - 2);
    return mix(COLORS[below], COLORS[below + 1], at - below);
  }

  /** {@code (1 - share) a + share b} for each of red, green, blue. */
  static int mix(int a, int b, double share) {
    int mixed = 0;
    for (int shift = 0; shift <= 16; shift += 8) {
      double value = (1 - share) * (a >> shift & 0xff) + share * (b >> shift & 0xff);
      mixed |= (int) Math.round(value) << shift;
    }
    return mixed;
  }
}
