package dev.fovea.vit.model;

import dev.fovea.tensor.Tensor;

/**
 * How learned positions of one grid of patches become those of another. Every way weighs rows and columns apart, so
 * that a position of the new grid is a weighted sum of those of the old one.
 */
public enum Resampling {
  /** timm: bicubic (a = -0.5), widened where the grid shrinks; PyTorch's interpolation with antialiasing. */
  BICUBIC_ANTIALIAS {
    @Override
    double[][] weights(int from, int to) {
      double scale = (double) from / to;
      double stretch = Math.max(scale, 1);
      double[][] weights = new double[to][from];
      for (int i = 0; i < to; i++) {
        double center = (i + 0.5) * scale;
        int first = Math.max((int) (center - 2 * stretch + 0.5), 0);
        int end = Math.min((int) (center + 2 * stretch + 0.5), from);
        double sum = 0;
        for (int j = first; j < end; j++) {
          weights[i][j] = cubic((j - center + 0.5) / stretch, -0.5);
          sum += weights[i][j];
        }
        for (int j = first; j < end; j++) {
          weights[i][j] /= sum;
        }
      }
      return weights;
    }
  },

  /** big_vision: linear, the corners of both grids in the same place; scipy's zoom of order 1. */
  BILINEAR_CORNERS {
    @Override
    double[][] weights(int from, int to) {
      double[][] weights = new double[to][from];
      for (int i = 0; i < to; i++) {
        double at = to == 1 ? 0 : (double) i * (from - 1) / (to - 1);
        int low = Math.min((int) at, from - 1);
        weights[i][low] += 1 - (at - low);
        weights[i][Math.min(low + 1, from - 1)] += at - low;
      }
      return weights;
    }
  },

  /** transformers: bicubic (a = -0.75) at the middles of patches; PyTorch's interpolation without aligned corners. */
  BICUBIC {
    @Override
    double[][] weights(int from, int to) {
      double[][] weights = new double[to][from];
      for (int i = 0; i < to; i++) {
        double at = (i + 0.5) * from / to - 0.5;
        int low = (int) Math.floor(at);
        for (int j = low - 1; j <= low + 2; j++) {
          weights[i][Math.clamp(j, 0, from - 1)] += cubic(j - at, -0.75);
        }
      }
      return weights;
    }
  };

  /** What each of {@code to} places along an axis takes from each of {@code from}. */
  abstract double[][] weights(int from, int to);

  /** The bicubic kernel of Keys with parameter a. */
  private static double cubic(double x, double a) {
    double t = Math.abs(x);
    if (t < 1) {
      return ((a + 2) * t - (a + 3)) * t * t + 1;
    }
    return t < 2 ? (((t - 5) * t + 8) * t - 4) * a : 0;
  }

  /**
   * The matrix that makes positions of {@code to} from those of {@code from}, F32 in the current scope.
   *
   * @param prefixes leading positions that stay as they are
   * @return [prefixes + to.patches, prefixes + from.patches]
   */
  Tensor matrix(Grid from, Grid to, int prefixes) {
    double[][] byRow = weights(from.rows(), to.rows());
    double[][] byColumn = weights(from.columns(), to.columns());
    int columns = prefixes + from.patches();
    float[] values = new float[Math.multiplyExact(prefixes + to.patches(), columns)];
    for (int i = 0; i < prefixes; i++) {
      values[i * columns + i] = 1;
    }
    int at = prefixes * columns;
    for (int y = 0; y < to.rows(); y++) {
      for (int x = 0; x < to.columns(); x++) {
        at += prefixes;
        for (double row : byRow[y]) {
          for (double column : byColumn[x]) {
            values[at++] = (float) (row * column);
          }
        }
      }
    }
    return Tensor.of(values, prefixes + to.patches(), columns);
  }
}
