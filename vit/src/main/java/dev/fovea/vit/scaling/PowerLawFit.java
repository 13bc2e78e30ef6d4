package dev.fovea.vit.scaling;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/**
 * The power law that comes closest to runs by relative error. For given {@code b} and {@code d} the best {@code a} and
 * {@code c} follow from linear least squares, so that only two parameters are searched for (variable projection): on a
 * grid, then by Levenberg-Marquardt from its best places.
 */
public final class PowerLawFit {
  /** The fewest runs, and the fewest different computes, that four constants can be fitted to. */
  public static final int LEAST_RUNS = 5;

  private static final double[] EXPONENTS = {0.05, 0.1, 0.2, 0.35, 0.6, 1, 1.6};
  private static final double[] SHIFTS = {1e-6, 0.03, 0.3, 1, 3, 30};
  private static final int STARTS = 4;

  private final double[] compute;
  private final double[] error;
  private final PowerLaw law;
  private final double relativeError;
  private final List<PowerLaw> samples;
  private final double confidence;

  private PowerLawFit(double[] compute, double[] error, Bootstrap bootstrap) {
    this.compute = compute;
    this.error = error;
    double[] best = fit(error, grid());
    law = law(best, error);
    double[] residuals = solve(best, error).residuals();
    relativeError = Math.sqrt(Arrays.stream(residuals).map(r -> r * r).average().orElse(0));
    double[] fitted = Arrays.stream(compute).map(law::at).toArray();
    samples = Arrays.stream(bootstrap.measurements(fitted, residuals, 4))
        .parallel()
        .map(measured -> law(fit(measured, List.of(best)), measured))
        .toList();
    confidence = bootstrap.confidence();
  }

  /**
   * Fits runs.
   *
   * @param compute of each run, in any unit, positive
   * @param error of each run, positive
   * @param bootstrap how confidence is found
   * @throws IllegalArgumentException if there are fewer than {@link #LEAST_RUNS} different computes
   */
  public static PowerLawFit of(double[] compute, double[] error, Bootstrap bootstrap) {
    if (compute.length != error.length) {
      throw new IllegalArgumentException(
          "error: got %d runs, expected %d as of compute".formatted(error.length, compute.length));
    }
    if (!(Arrays.stream(compute).allMatch(x -> x > 0) && Arrays.stream(error).allMatch(x -> x > 0))) {
      throw new IllegalArgumentException("runs: expected positive computes and errors");
    }
    long different = Arrays.stream(compute).distinct().count();
    if (different < LEAST_RUNS) {
      throw new IllegalArgumentException("runs: got %d of different compute, expected at least %d for four constants"
          .formatted(different, LEAST_RUNS));
    }
    return new PowerLawFit(compute.clone(), error.clone(), bootstrap);
  }

  /** Indices of the runs that no run of as little compute beats, by compute. */
  public static int[] frontier(double[] compute, double[] error) {
    int[] order = IntStream.range(0, compute.length)
        .boxed()
        .sorted(Comparator.<Integer>comparingDouble(i -> compute[i]).thenComparingDouble(i -> error[i]))
        .mapToInt(i -> i)
        .toArray();
    double[] least = {Double.POSITIVE_INFINITY};
    return Arrays.stream(order)
        .filter(i -> {
          boolean better = error[i] < least[0];
          least[0] = Math.min(least[0], error[i]);
          return better;
        })
        .toArray();
  }

  /** Constants b and d. */
  private double[] fit(double[] measured, List<double[]> starts) {
    return problem(measured).minimize(starts);
  }

  private LeastSquares problem(double[] measured) {
    double least = Arrays.stream(compute).min().orElseThrow();
    double most = Arrays.stream(compute).max().orElseThrow();
    return new LeastSquares(
        parameters -> solve(parameters, measured).residuals(),
        new double[] {1e-3, 1e-9 * least},
        new double[] {10, 100 * most});
  }

  private List<double[]> grid() {
    double least = Arrays.stream(compute).min().orElseThrow();
    List<double[]> places = new ArrayList<>();
    for (double exponent : EXPONENTS) {
      for (double shift : SHIFTS) {
        places.add(new double[] {exponent, shift * least});
      }
    }
    places.sort(Comparator.comparingDouble(problem(error)::cost));
    return places.subList(0, STARTS);
  }

  private NonNegative solve(double[] parameters, double[] measured) {
    int n = measured.length;
    double[] power = new double[n];
    double[] constant = new double[n];
    for (int i = 0; i < n; i++) {
      power[i] = Math.pow(compute[i] + parameters[1], -parameters[0]) / measured[i];
      constant[i] = 1 / measured[i];
    }
    return NonNegative.solve(power, constant);
  }

  private PowerLaw law(double[] parameters, double[] measured) {
    NonNegative linear = solve(parameters, measured);
    return new PowerLaw(linear.weight(0), parameters[0], linear.weight(1), parameters[1]);
  }

  /** The best law. */
  public PowerLaw law() {
    return law;
  }

  /** Compute of each run. */
  public double[] compute() {
    return compute.clone();
  }

  /** Error of each run. */
  public double[] error() {
    return error.clone();
  }

  /** Root mean square of prediction over measurement, less 1. */
  public double relativeError() {
    return relativeError;
  }

  /** Confidence of the intervals. */
  public double confidence() {
    return confidence;
  }

  /** Where something that follows from the law lies, such as a constant or the error at a compute. */
  public Interval interval(ToDoubleFunction<PowerLaw> quantity) {
    return Interval.of(samples.stream().mapToDouble(quantity).toArray(), confidence);
  }
}
