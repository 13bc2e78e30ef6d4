package dev.fovea.vit.probe;

import java.util.stream.IntStream;

/**
 * A symmetric positive definite matrix, as its lower triangle, and linear systems of it by Cholesky's decomposition.
 */
final class SymmetricMatrix {
  private final double[][] rows;

  private SymmetricMatrix(double[][] rows) {
    this.rows = rows;
  }

  /** Products of all pairs of vectors, with something added to those with themselves. */
  static SymmetricMatrix gram(double[][] vectors, double diagonal) {
    double[][] rows = new double[vectors.length][];
    IntStream.range(0, rows.length).parallel().forEach(i -> {
      rows[i] = new double[i + 1];
      for (int j = 0; j <= i; j++) {
        rows[i][j] = dot(vectors[i], vectors[j], vectors[i].length);
      }
      rows[i][i] += diagonal;
    });
    return new SymmetricMatrix(rows);
  }

  /** Replaces each right-hand side by its solution. The matrix is used up. */
  void solve(double[][] sides) {
    decompose();
    IntStream.range(0, sides.length).parallel().forEach(k -> {
      forward(sides[k]);
      backward(sides[k]);
    });
  }

  /** The triangle L of {@code L L^T}, column by column in place. */
  private void decompose() {
    int n = rows.length;
    for (int j = 0; j < n; j++) {
      double[] pivotRow = rows[j];
      double square = pivotRow[j] - dot(pivotRow, pivotRow, j);
      if (!(square > 0)) {
        throw new ArithmeticException(
            "the matrix is not positive definite: features are not finite, or l2 is too small");
      }
      double pivot = Math.sqrt(square);
      pivotRow[j] = pivot;
      int column = j;
      IntStream below = IntStream.range(j + 1, n);
      (n - j > 256 && j > 64 ? below.parallel() : below)
          .forEach(i -> rows[i][column] = (rows[i][column] - dot(rows[i], pivotRow, column)) / pivot);
    }
  }

  private void forward(double[] side) {
    for (int i = 0; i < side.length; i++) {
      side[i] = (side[i] - dot(rows[i], side, i)) / rows[i][i];
    }
  }

  private void backward(double[] side) {
    for (int i = side.length - 1; i >= 0; i--) {
      side[i] /= rows[i][i];
      for (int j = 0; j < i; j++) {
        side[j] -= rows[i][j] * side[i];
      }
    }
  }

  /** Four sums at once, in an order that depends on the length only. */
  static double dot(double[] a, double[] b, int length) {
    double s0 = 0;
    double s1 = 0;
    double s2 = 0;
    double s3 = 0;
    int i = 0;
    for (; i + 3 < length; i += 4) {
      s0 += a[i] * b[i];
      s1 += a[i + 1] * b[i + 1];
      s2 += a[i + 2] * b[i + 2];
      s3 += a[i + 3] * b[i + 3];
    }
    for (; i < length; i++) {
      s0 += a[i] * b[i];
    }
    return s0 + s1 + (s2 + s3);
  }
}
