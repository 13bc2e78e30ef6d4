package dev.fovea.vit.scaling;

import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Weights of a few columns, none negative, whose sum comes closest to 1 everywhere (least squares). Columns are
 * predictions over measurements, so that the residuals are relative errors. Tries every subset of the columns: the
 * problem is convex, and the best feasible subset is its solution.
 */
final class NonNegative {
  /** What is left of a column, relative to its length, that counts as a combination of others. */
  private static final double DEPENDENT = 1e-9;

  private final double[][] columns;
  private double[] weights;
  private double[] residuals;
  private double cost;

  private NonNegative(double[][] columns) {
    this.columns = columns;
    weights = new double[columns.length];
    residuals = new double[columns[0].length];
    Arrays.fill(residuals, -1);
    cost = residuals.length;
  }

  static NonNegative solve(double[]... columns) {
    var solved = new NonNegative(columns);
    for (int subset = 1; subset < 1 << columns.length; subset++) {
      solved.attempt(subset);
    }
    return solved;
  }

  double weight(int column) {
    return weights[column];
  }

  /** Prediction over measurement, less 1. */
  double[] residuals() {
    return residuals;
  }

  /** Sum of the squares of the residuals. */
  double cost() {
    return cost;
  }

  /** Least squares on some columns, by modified Gram-Schmidt. */
  private void attempt(int subset) {
    int[] chosen =
        IntStream.range(0, columns.length).filter(j -> (subset >> j & 1) != 0).toArray();
    int k = chosen.length;
    double[][] q = new double[k][];
    double[][] r = new double[k][k];
    double[] z = new double[k];
    double[] rest = new double[residuals.length];
    Arrays.fill(rest, 1);
    for (int j = 0; j < k; j++) {
      q[j] = columns[chosen[j]].clone();
      double length = Math.sqrt(dot(q[j], q[j]));
      for (int i = 0; i < j; i++) {
        r[i][j] = dot(q[i], q[j]);
        subtract(q[j], q[i], r[i][j]);
      }
      r[j][j] = Math.sqrt(dot(q[j], q[j]));
      if (!(r[j][j] > DEPENDENT * length)) {
        return;
      }
      scale(q[j], 1 / r[j][j]);
      z[j] = dot(q[j], rest);
      subtract(rest, q[j], z[j]);
    }
    double squares = dot(rest, rest);
    if (squares < cost && backward(r, z)) {
      cost = squares;
      weights = new double[columns.length];
      for (int j = 0; j < k; j++) {
        weights[chosen[j]] = z[j];
      }
      scale(rest, -1);
      residuals = rest;
    }
  }

  /** Solves R w = z in place; false if a weight is negative. */
  private static boolean backward(double[][] r, double[] z) {
    for (int i = z.length - 1; i >= 0; i--) {
      for (int j = i + 1; j < z.length; j++) {
        z[i] -= r[i][j] * z[j];
      }
      z[i] /= r[i][i];
      if (!(z[i] >= 0)) {
        return false;
      }
    }
    return true;
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  private static void subtract(double[] from, double[] what, double times) {
    for (int i = 0; i < from.length; i++) {
      from[i] -= times * what[i];
    }
  }

  private static void scale(double[] values, double by) {
    for (int i = 0; i < values.length; i++) {
      values[i] *= by;
    }
  }
}
