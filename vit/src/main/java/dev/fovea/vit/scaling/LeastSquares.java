package dev.fovea.vit.scaling;

import java.util.List;
import java.util.function.Function;
import java.util.stream.IntStream;
import org.hipparchus.exception.MathRuntimeException;
import org.hipparchus.linear.Array2DRowRealMatrix;
import org.hipparchus.linear.ArrayRealVector;
import org.hipparchus.linear.RealMatrix;
import org.hipparchus.linear.RealVector;
import org.hipparchus.optim.nonlinear.vector.leastsquares.LeastSquaresBuilder;
import org.hipparchus.optim.nonlinear.vector.leastsquares.LevenbergMarquardtOptimizer;
import org.hipparchus.util.Pair;

/** Positive parameters of least squares, by Levenberg-Marquardt on their logarithms from several starts. */
final class LeastSquares {
  private static final double DIFFERENCE = 1e-6;
  private static final double TOLERANCE = 1e-9;
  private static final int EVALUATIONS = 200;

  private final Function<double[], double[]> residuals;
  private final double[] low;
  private final double[] high;

  /**
   * What to minimise.
   *
   * @param residuals of parameters
   * @param low the least that each parameter may be
   * @param high the most
   */
  LeastSquares(Function<double[], double[]> residuals, double[] low, double[] high) {
    this.residuals = residuals;
    this.low = low.clone();
    this.high = high.clone();
  }

  /** The best that is found from any of the starts. */
  double[] minimize(List<double[]> starts) {
    double[] best = starts.getFirst();
    double least = cost(best);
    for (double[] start : starts) {
      double[] found = from(start);
      double cost = cost(found);
      if (cost < least) {
        least = cost;
        best = found;
      }
    }
    return best;
  }

  double cost(double[] parameters) {
    double sum = 0;
    for (double r : residuals.apply(parameters)) {
      sum += r * r;
    }
    return sum;
  }

  private double[] from(double[] start) {
    RealVector logs = new ArrayRealVector(start).map(Math::log);
    try {
      return exp(new LevenbergMarquardtOptimizer()
          .withCostRelativeTolerance(TOLERANCE)
          .withParameterRelativeTolerance(TOLERANCE)
          .optimize(new LeastSquaresBuilder()
              .start(logs)
              .model(this::linearize)
              .target(new double[residuals.apply(start).length])
              .parameterValidator(this::clamp)
              .maxEvaluations(EVALUATIONS)
              .maxIterations(EVALUATIONS)
              .build())
          .getPoint());
    } catch (MathRuntimeException e) {
      // No convergence from here: another start may do better.
      return start;
    }
  }

  private RealVector clamp(RealVector logs) {
    return new ArrayRealVector(IntStream.range(0, low.length)
        .mapToDouble(i -> Math.clamp(logs.getEntry(i), Math.log(low[i]), Math.log(high[i])))
        .toArray());
  }

  private static double[] exp(RealVector logs) {
    return logs.map(Math::exp).toArray();
  }

  /** Residuals and their derivatives by the logarithms, as central differences. */
  private Pair<RealVector, RealMatrix> linearize(RealVector logs) {
    double[] here = residuals.apply(exp(logs));
    RealMatrix jacobian = new Array2DRowRealMatrix(here.length, logs.getDimension());
    for (int j = 0; j < logs.getDimension(); j++) {
      RealVector moved = logs.copy();
      moved.addToEntry(j, DIFFERENCE);
      double[] above = residuals.apply(exp(moved));
      moved.addToEntry(j, -2 * DIFFERENCE);
      double[] below = residuals.apply(exp(moved));
      for (int i = 0; i < here.length; i++) {
        jacobian.setEntry(i, j, (above[i] - below[i]) / (2 * DIFFERENCE));
      }
    }
    return new Pair<>(new ArrayRealVector(here), jacobian);
  }
}
