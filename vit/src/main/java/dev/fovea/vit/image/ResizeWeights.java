package dev.fovea.vit.image;

/** For one axis: from which old pixels each new one is made, and their weights, which sum to 1. */
final class ResizeWeights {
  /** Fraction bits of a fixed-point weight: 8-bit samples, and two bits of headroom for sums beyond 1. */
  static final int FRACTION_BITS = 32 - 8 - 2;

  final int[] first;
  final int[] count;

  /** Weights of new pixel i from {@code i * stride} on. */
  final double[] weights;

  final int stride;

  ResizeWeights(int from, int to, Interpolation interpolation) {
    double scale = (double) from / to;
    boolean nearest = interpolation == Interpolation.NEAREST;
    boolean area = interpolation.rule == Interpolation.Rule.AREA;
    double widening = interpolation.rule == Interpolation.Rule.ANTIALIASED ? Math.max(scale, 1) : 1;
    double support = area ? scale / 2 : interpolation.support * widening;
    first = new int[to];
    count = new int[to];
    stride = 2 * (int) Math.ceil(support) + 2;
    weights = new double[Math.multiplyExact(to, stride)];
    for (int i = 0; i < to; i++) {
      double center = (i + 0.5) * scale;
      double low = center - support;
      double high = center + support;
      first[i] = nearest ? (int) center : Math.max(0, (int) (area ? low : low + 0.5));
      int end = nearest ? first[i] + 1 : Math.min(from, (int) (area ? Math.ceil(high) : high + 0.5));
      count[i] = Math.min(end - first[i], stride);
      double sum = 0;
      for (int k = 0; k < count[i]; k++) {
        int pixel = first[i] + k;
        double weight = area
            ? Math.max(0, Math.min(pixel + 1, high) - Math.max(pixel, low))
            : interpolation.weight((pixel - center + 0.5) / widening);
        weights[i * stride + k] = weight;
        sum += weight;
      }
      for (int k = 0; k < count[i] && sum != 0; k++) {
        weights[i * stride + k] /= sum;
      }
    }
  }

  /** The weights in fixed point, rounded away from zero at halves. */
  int[] fixed() {
    int[] fixed = new int[weights.length];
    for (int i = 0; i < fixed.length; i++) {
      double weight = weights[i] * (1 << FRACTION_BITS);
      fixed[i] = (int) (weight < 0 ? weight - 0.5 : weight + 0.5);
    }
    return fixed;
  }
}
