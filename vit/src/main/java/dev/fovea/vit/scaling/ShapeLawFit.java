package dev.fovea.vit.scaling;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.stream.DoubleStream;
import java.util.stream.IntStream;

/**
 * The shape laws that come closest to a star sweep by relative error, with one exponent of compute for all dimensions.
 * For given exponents the other constants follow from linear least squares (variable projection). Computes are taken in
 * units of the smallest, so that scales are comparable; the laws are stated in the unit of the runs.
 */
public final class ShapeLawFit {
  /** The fewest different sizes of a dimension. */
  public static final int LEAST_SIZES = 4;

  /** The fewest different computes. */
  public static final int LEAST_COMPUTES = 2;

  private static final Shape.Dimension[] DIMENSIONS = Shape.Dimension.values();
  private static final double[] COMPUTE_EXPONENTS = {0.1, 0.2, 0.3, 0.45, 0.7, 1};
  private static final double[] SIZE_EXPONENTS = {0.1, 0.2, 0.4, 0.6, 0.9, 1.3, 2};
  private static final int STARTS = 3;
  /** Constants of all laws: c, and six for each dimension. */
  private static final int CONSTANTS = 1 + 6 * 3;

  private final StarSweep sweep;
  /** In the order of {@link #DIMENSIONS}, as is all that has an index. */
  private final List<List<StarSweep.Run>> arms;

  private final double[][] errors;
  private final double unit;
  private final Map<Shape.Dimension, ShapeLaw> laws;
  private final double relativeError;
  private final List<Map<Shape.Dimension, ShapeLaw>> samples;
  private final double confidence;

  private ShapeLawFit(StarSweep sweep, Bootstrap bootstrap) {
    this.sweep = sweep;
    arms = Arrays.stream(DIMENSIONS).map(sweep::arm).toList();
    errors = arms.stream()
        .map(arm -> arm.stream().mapToDouble(StarSweep.Run::error).toArray())
        .toArray(double[][]::new);
    unit = arms.stream()
        .flatMap(List::stream)
        .mapToDouble(StarSweep.Run::compute)
        .min()
        .orElseThrow();
    double[] best = fit(errors, grid());
    laws = laws(best, errors);
    double[] residuals = residuals(best, errors);
    relativeError = Math.sqrt(Arrays.stream(residuals).map(r -> r * r).average().orElse(0));
    double[] fitted = Arrays.stream(DIMENSIONS)
        .flatMapToDouble(dimension ->
            sweep.arm(dimension).stream().mapToDouble(run -> law(dimension).at(run.size(), run.compute())))
        .toArray();
    samples = Arrays.stream(bootstrap.measurements(fitted, residuals, CONSTANTS - DIMENSIONS.length + 1))
        .parallel()
        .map(this::split)
        .map(measured -> laws(fit(measured, List.of(best)), measured))
        .toList();
    confidence = bootstrap.confidence();
  }

  /**
   * Fits a sweep.
   *
   * @throws IllegalArgumentException if it has too few different sizes or computes
   */
  public static ShapeLawFit of(StarSweep sweep, Bootstrap bootstrap) {
    for (Shape.Dimension dimension : DIMENSIONS) {
      List<StarSweep.Run> arm = sweep.arm(dimension);
      long sizes = arm.stream().mapToDouble(StarSweep.Run::size).distinct().count();
      long computes =
          arm.stream().mapToDouble(StarSweep.Run::compute).distinct().count();
      if (sizes < LEAST_SIZES || computes < LEAST_COMPUTES) {
        throw new IllegalArgumentException(
            "runs: got %d different values of %s at %d different computes, expected at least %d at %d"
                .formatted(sizes, dimension, computes, LEAST_SIZES, LEAST_COMPUTES));
      }
    }
    return new ShapeLawFit(sweep, bootstrap);
  }

  /** For each exponent of compute the best exponents of sizes, which do not depend on each other. */
  private List<double[]> grid() {
    return Arrays.stream(COMPUTE_EXPONENTS)
        .mapToObj(c -> DoubleStream.concat(
                DoubleStream.of(c),
                dimensions().mapToObj(k -> bestExponents(k, c)).flatMapToDouble(Arrays::stream))
            .toArray())
        .sorted(Comparator.comparingDouble(parameters -> sumOfSquares(residuals(parameters, errors))))
        .limit(STARTS)
        .toList();
  }

  private double[] bestExponents(int k, double c) {
    double[] best = {};
    double least = Double.POSITIVE_INFINITY;
    for (double a : SIZE_EXPONENTS) {
      for (double b : SIZE_EXPONENTS) {
        double cost = solve(k, a, b, c, errors[k]).cost();
        if (cost < least) {
          least = cost;
          best = new double[] {a, b};
        }
      }
    }
    return best;
  }

  /** Parameters are c, then a and b of each dimension. */
  private double[] fit(double[][] measured, List<double[]> starts) {
    double[] low = new double[1 + 2 * DIMENSIONS.length];
    double[] high = new double[low.length];
    Arrays.fill(low, 1e-2);
    Arrays.fill(high, 6);
    return new LeastSquares(parameters -> residuals(parameters, measured), low, high).minimize(starts);
  }

  private double[] residuals(double[] parameters, double[][] measured) {
    return dimensions()
        .mapToObj(k -> solve(k, parameters, measured[k]).residuals())
        .flatMapToDouble(Arrays::stream)
        .toArray();
  }

  private static IntStream dimensions() {
    return IntStream.range(0, DIMENSIONS.length);
  }

  private NonNegative solve(int k, double[] parameters, double[] measured) {
    int at = 1 + 2 * k;
    return solve(k, parameters[at], parameters[at + 1], parameters[0], measured);
  }

  private NonNegative solve(int k, double a, double b, double c, double[] measured) {
    List<StarSweep.Run> arm = arms.get(k);
    int n = measured.length;
    double[][] columns = new double[4][n];
    for (int i = 0; i < n; i++) {
      double size = arm.get(i).size();
      double compute = Math.pow(arm.get(i).compute() / unit, -c);
      columns[0][i] = Math.pow(size, -a) / measured[i];
      columns[1][i] = Math.pow(size, b) * compute / measured[i];
      columns[2][i] = compute / measured[i];
      columns[3][i] = 1 / measured[i];
    }
    return NonNegative.solve(columns);
  }

  private Map<Shape.Dimension, ShapeLaw> laws(double[] parameters, double[][] measured) {
    Map<Shape.Dimension, ShapeLaw> found = new EnumMap<>(Shape.Dimension.class);
    double c = parameters[0];
    double scale = Math.pow(unit, c);
    for (int k = 0; k < DIMENSIONS.length; k++) {
      NonNegative linear = solve(k, parameters, measured[k]);
      int at = 1 + 2 * k;
      found.put(
          DIMENSIONS[k],
          new ShapeLaw(
              linear.weight(0),
              parameters[at],
              linear.weight(1) * scale,
              parameters[at + 1],
              linear.weight(2) * scale,
              c,
              linear.weight(3)));
    }
    return found;
  }

  private double[][] split(double[] all) {
    double[][] parts = new double[errors.length][];
    int from = 0;
    for (int k = 0; k < parts.length; k++) {
      parts[k] = Arrays.copyOfRange(all, from, from + errors[k].length);
      from += errors[k].length;
    }
    return parts;
  }

  private static double sumOfSquares(double[] values) {
    return Arrays.stream(values).map(r -> r * r).sum();
  }

  /** What was fitted. */
  public StarSweep sweep() {
    return sweep;
  }

  /** The law of a dimension. */
  public ShapeLaw law(Shape.Dimension dimension) {
    ShapeLaw law = laws.get(dimension);
    if (law == null) {
      throw new AssertionError("there is one for each");
    }
    return law;
  }

  /** Exponents of all dimensions. */
  public Map<Shape.Dimension, Double> exponents() {
    Map<Shape.Dimension, Double> all = new EnumMap<>(Shape.Dimension.class);
    laws.forEach((dimension, law) -> all.put(dimension, law.exponent()));
    return all;
  }

  /** Where the exponent of a dimension lies. */
  public Interval exponentInterval(Shape.Dimension dimension) {
    List<Double> values = new ArrayList<>();
    for (var sample : samples) {
      ShapeLaw law = sample.get(dimension);
      if (law != null) {
        values.add(law.exponent());
      }
    }
    return Interval.of(values.stream().mapToDouble(x -> x).toArray(), confidence);
  }

  /** Root mean square of prediction over measurement, less 1. */
  public double relativeError() {
    return relativeError;
  }

  /** Confidence of the intervals. */
  public double confidence() {
    return confidence;
  }
}
