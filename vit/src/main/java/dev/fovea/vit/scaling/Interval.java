package dev.fovea.vit.scaling;

import java.util.Arrays;

/**
 * Where a quantity lies with some confidence.
 *
 * @param low lower end
 * @param high upper end
 */
public record Interval(double low, double high) {
  /** The middle of a sample: all but equal tails. */
  static Interval of(double[] sample, double confidence) {
    double[] sorted = sample.clone();
    Arrays.sort(sorted);
    double tail = (1 - confidence) / 2;
    return new Interval(quantile(sorted, tail), quantile(sorted, 1 - tail));
  }

  private static double quantile(double[] sorted, double at) {
    double place = at * (sorted.length - 1);
    int below = (int) place;
    int above = Math.min(below + 1, sorted.length - 1);
    return sorted[below] + (place - below) * (sorted[above] - sorted[below]);
  }

  /** Whether a value lies inside. */
  public boolean contains(double value) {
    return low <= value && value <= high;
  }
}
