package dev.fovea.vit.probe;

import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * A linear classifier of features in closed form, as big_vision's {@code fewshot_lsr}: features are standardised by
 * mean and deviation of those trained on, a constant feature stands for the bias, targets are 1 and -1, and weights
 * {@code (X^T X + l2 I)^-1 X^T Y} are solved for in double precision, on the side of features or of examples that is
 * smaller.
 */
public final class RidgeProbe {
  /** The regularization of the papers. */
  public static final double DEFAULT_L2 = 1024;

  private static final double EPSILON = 1e-5;
  private static final double CONSTANT = 100;

  private final double[] mean;
  private final double[] deviation;
  private final double[][] weights;

  private RidgeProbe(double[] mean, double[] deviation, double[][] weights) {
    this.mean = mean;
    this.deviation = deviation;
    this.weights = weights;
  }

  /**
   * Fits a probe.
   *
   * @param features of each example
   * @param labels of each example, from 0 on
   * @param classes number of classes
   * @param l2 what is added to the diagonal, positive
   * @throws IllegalArgumentException if there is no example, or sizes do not agree
   */
  public static RidgeProbe fit(float[][] features, int[] labels, int classes, double l2) {
    check(features, labels, classes, l2);
    int width = features[0].length;
    double[] mean = new double[width];
    double[] deviation = new double[width];
    standard(features, mean, deviation);
    RidgeProbe scaling = new RidgeProbe(mean, deviation, new double[0][]);
    double[][] x = Arrays.stream(features).map(scaling::scaled).toArray(double[][]::new);
    double[][] weights = x.length >= width + 1 ? primal(x, labels, classes, l2) : dual(x, labels, classes, l2);
    return new RidgeProbe(mean, deviation, weights);
  }

  private static void check(float[][] features, int[] labels, int classes, double l2) {
    if (features.length == 0 || features.length != labels.length) {
      throw new IllegalArgumentException("labels: got %d, expected one for each of %d examples, at least one"
          .formatted(labels.length, features.length));
    }
    if (!(l2 > 0)) {
      throw new IllegalArgumentException("l2: got " + l2 + ", expected a positive number");
    }
    for (int i = 0; i < labels.length; i++) {
      if (labels[i] < 0 || labels[i] >= classes) {
        throw new IllegalArgumentException("labels: got %d, expected 0 to %d".formatted(labels[i], classes - 1));
      }
      if (features[i].length != features[0].length) {
        throw new IllegalArgumentException("features: got %d numbers for one example and %d for another"
            .formatted(features[i].length, features[0].length));
      }
    }
  }

  private static void standard(float[][] features, double[] mean, double[] deviation) {
    int n = features.length;
    for (float[] row : features) {
      for (int j = 0; j < mean.length; j++) {
        mean[j] += row[j] / (double) n;
      }
    }
    for (float[] row : features) {
      for (int j = 0; j < mean.length; j++) {
        deviation[j] += (row[j] - mean[j]) * (row[j] - mean[j]) / n;
      }
    }
    Arrays.setAll(deviation, j -> Math.sqrt(deviation[j]) + EPSILON);
  }

  private double[] scaled(float[] features) {
    double[] x = new double[mean.length + 1];
    for (int j = 0; j < mean.length; j++) {
      x[j] = (features[j] - mean[j]) / deviation[j];
    }
    x[mean.length] = CONSTANT;
    return x;
  }

  private static double target(int label, int of) {
    return label == of ? 1 : -1;
  }

  /** {@code (X^T X + l2 I)^-1 X^T Y}. */
  private static double[][] primal(double[][] x, int[] labels, int classes, double l2) {
    double[][] columns = transpose(x);
    double[][] sides = IntStream.range(0, classes)
        .parallel()
        .mapToObj(k -> {
          double[] y =
              Arrays.stream(labels).mapToDouble(label -> target(label, k)).toArray();
          return Arrays.stream(columns)
              .mapToDouble(column -> SymmetricMatrix.dot(column, y, y.length))
              .toArray();
        })
        .toArray(double[][]::new);
    SymmetricMatrix.gram(columns, l2).solve(sides);
    return sides;
  }

  /** {@code X^T (X X^T + l2 I)^-1 Y}. */
  private static double[][] dual(double[][] x, int[] labels, int classes, double l2) {
    double[][] sides = IntStream.range(0, classes)
        .mapToObj(
            k -> Arrays.stream(labels).mapToDouble(label -> target(label, k)).toArray())
        .toArray(double[][]::new);
    SymmetricMatrix.gram(x, l2).solve(sides);
    double[][] columns = transpose(x);
    return Arrays.stream(sides)
        .parallel()
        .map(side -> Arrays.stream(columns)
            .mapToDouble(column -> SymmetricMatrix.dot(column, side, side.length))
            .toArray())
        .toArray(double[][]::new);
  }

  private static double[][] transpose(double[][] x) {
    double[][] columns = new double[x[0].length][x.length];
    for (int i = 0; i < x.length; i++) {
      for (int j = 0; j < columns.length; j++) {
        columns[j][i] = x[i][j];
      }
    }
    return columns;
  }

  /** The weight of a feature for a class; the feature after the last is the constant. */
  public double weight(int feature, int label) {
    return weights[label][feature];
  }

  /** Number of classes. */
  public int classes() {
    return weights.length;
  }

  /** The class of largest score; of equal ones the first. */
  public int predict(float[] features) {
    if (features.length != mean.length) {
      throw new IllegalArgumentException(
          "features: got %d numbers, expected %d".formatted(features.length, mean.length));
    }
    double[] x = scaled(features);
    int best = 0;
    double most = Double.NEGATIVE_INFINITY;
    for (int k = 0; k < weights.length; k++) {
      double score = SymmetricMatrix.dot(weights[k], x, x.length);
      if (score > most) {
        most = score;
        best = k;
      }
    }
    return best;
  }

  /** The share of examples whose class is named rightly, in [0, 1]. */
  public double accuracy(float[][] features, int[] labels) {
    return IntStream.range(0, labels.length)
            .parallel()
            .filter(i -> predict(features[i]) == labels[i])
            .count()
        / (double) labels.length;
  }
}
