package dev.fovea.kernels.reference;

import static dev.fovea.kernels.reference.Mat.get;
import static dev.fovea.kernels.reference.Mat.set;

import dev.fovea.kernels.Norm;
import dev.fovea.kernels.NormKernels;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.Sums;
import org.jspecify.annotations.Nullable;

/** {@link NormKernels} in double precision. */
final class ReferenceNorm implements NormKernels {
  @Override
  public void forward(
      Norm norm, Span x, long ldx, @Nullable Span weight, @Nullable Span bias, Span y, long ldy, @Nullable Span stats) {
    int width = norm.width();
    for (long i = 0; i < norm.rows() * norm.groups(); i++) {
      long row = i / norm.groups();
      long column = i % norm.groups() * width;
      double mean = 0;
      for (int c = 0; c < width && norm.centered(); c++) {
        mean += get(x, row * ldx + column + c) / width;
      }
      double variance = 0;
      for (int c = 0; c < width; c++) {
        variance += Math.pow(get(x, row * ldx + column + c) - mean, 2) / width;
      }
      double rstd = 1 / Math.sqrt(variance + norm.eps());
      for (int c = 0; c < width; c++) {
        double normal = (get(x, row * ldx + column + c) - mean) * rstd;
        set(y, row * ldy + column + c, normal * or(1, weight, c) + or(0, bias, c));
      }
      if (stats != null) {
        set(stats, i, mean);
        set(stats, norm.rows() * norm.groups() + i, rstd);
      }
    }
  }

  @Override
  public void backward(
      Norm norm,
      Span x,
      long ldx,
      @Nullable Span weight,
      Span stats,
      Span dy,
      long lddy,
      @Nullable Span add,
      Span dx,
      long lddx,
      @Nullable Sums dWeight,
      @Nullable Sums dBias) {
    int width = norm.width();
    double[] weightSums = new double[width];
    double[] biasSums = new double[width];
    for (long i = 0; i < norm.rows() * norm.groups(); i++) {
      long row = i / norm.groups();
      long column = i % norm.groups() * width;
      double mean = norm.centered() ? get(stats, i) : 0;
      double rstd = get(stats, norm.rows() * norm.groups() + i);
      double[] normal = new double[width];
      double[] g = new double[width];
      double meanG = 0;
      double meanGx = 0;
      for (int c = 0; c < width; c++) {
        double slope = get(dy, row * lddy + column + c);
        normal[c] = (get(x, row * ldx + column + c) - mean) * rstd;
        g[c] = slope * or(1, weight, c);
        weightSums[c] += slope * normal[c];
        biasSums[c] += slope;
        meanG += norm.centered() ? g[c] / width : 0;
        meanGx += g[c] * normal[c] / width;
      }
      for (int c = 0; c < width; c++) {
        long at = row * lddx + column + c;
        set(dx, at, or(0, add, at) + rstd * (g[c] - meanG - normal[c] * meanGx));
      }
    }
    for (int c = 0; c < width; c++) {
      if (dWeight != null) {
        Mat.put(dWeight, c, weightSums[c]);
      }
      if (dBias != null) {
        Mat.put(dBias, c, biasSums[c]);
      }
    }
  }

  private static double or(double otherwise, @Nullable Span span, long i) {
    return span == null ? otherwise : get(span, i);
  }
}
