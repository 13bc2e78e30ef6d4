package dev.fovea.vit.scaling;

import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.hipparchus.distribution.continuous.NormalDistribution;
import org.hipparchus.distribution.continuous.TDistribution;

/**
 * Confidence by the residual bootstrap: measurements are made anew from the fit and its relative errors, drawn with
 * replacement, and fitted again.
 *
 * @param samples how often
 * @param confidence of the intervals, in (0, 1)
 * @param seed of the draws
 */
public record Bootstrap(int samples, double confidence, long seed) {
  /** 1000 fits, 95 %. */
  public static final Bootstrap DEFAULT = new Bootstrap(1000, 0.95, 0);

  /** Checks the numbers. */
  public Bootstrap {
    if (samples < 1) {
      throw new IllegalArgumentException("samples: got " + samples + ", expected at least 1");
    }
    if (!(confidence > 0 && confidence < 1)) {
      throw new IllegalArgumentException("confidence: got " + confidence + ", expected more than 0 and less than 1");
    }
  }

  /**
   * Measurements made anew.
   *
   * @param fitted what the fit says of each
   * @param residuals prediction over measurement, less 1
   * @param parameters how many numbers were fitted: residuals are the smaller for them
   */
  double[][] measurements(double[] fitted, double[] residuals, int parameters) {
    int n = fitted.length;
    double mean = 0;
    double[] errors = new double[n];
    for (int i = 0; i < n; i++) {
      errors[i] = 1 / (1 + residuals[i]) - 1;
      mean += errors[i] / n;
    }
    int free = Math.max(1, n - parameters);
    double wider = Math.sqrt(n / (double) free) * student(free);
    double center = mean;
    SplittableRandom random = new SplittableRandom(seed);
    return IntStream.range(0, samples)
        .mapToObj(sample -> IntStream.range(0, n)
            .mapToDouble(i -> fitted[i] * Math.max(1e-3, 1 + wider * (errors[random.nextInt(n)] - center)))
            .toArray())
        .toArray(double[][]::new);
  }

  /** How much wider than the normal distribution's an interval is for few degrees of freedom. */
  private double student(int free) {
    double upper = (1 + confidence) / 2;
    return new TDistribution(free).inverseCumulativeProbability(upper)
        / new NormalDistribution().inverseCumulativeProbability(upper);
  }
}
