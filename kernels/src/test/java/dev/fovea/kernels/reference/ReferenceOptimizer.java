package dev.fovea.kernels.reference;

import static dev.fovea.kernels.reference.Mat.get;
import static dev.fovea.kernels.reference.Mat.set;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.OptimizerKernels;
import dev.fovea.kernels.Span;
import org.jspecify.annotations.Nullable;

final class ReferenceOptimizer implements OptimizerKernels {
  private static double scale(@Nullable Span gradientScale) {
    return gradientScale == null ? 1 : get(gradientScale, 0);
  }

  private static void store(Span param, long i, double value, Rounding rounding) {
    if (param.dtype() == DType.BF16 && rounding.stochastic()) {
      set(
          param,
          i,
          ReferenceCasts.stochastic((float) value, ReferenceRandom.word(rounding.seed(), rounding.step(), i)));
    } else {
      set(param, i, value);
    }
  }

  @Override
  public void adamW(
      AdamW h, Span param, Span gradient, @Nullable Span gradientScale, Span m, Span v, Rounding rounding) {
    for (long i = 0; i < param.count(); i++) {
      double g = get(gradient, i) * scale(gradientScale);
      double mean = h.beta1() * get(m, i) + (1 - (double) h.beta1()) * g;
      double square = h.beta2() * get(v, i) + (1 - (double) h.beta2()) * g * g;
      double meanHat = mean / (1 - Math.pow(h.beta1(), h.step()));
      double squareHat = square / (1 - Math.pow(h.beta2(), h.step()));
      double shrunk = get(param, i) * (1 - (double) h.learningRate() * h.weightDecay());
      set(m, i, mean);
      set(v, i, square);
      store(param, i, shrunk - h.learningRate() * meanHat / (Math.sqrt(squareHat) + h.eps()), rounding);
    }
  }

  @Override
  public void adafactor(
      Adafactor h,
      Factors f,
      Span param,
      Span gradient,
      @Nullable Span gradientScale,
      Span vRow,
      Span vColumn,
      Span m,
      Rounding rounding) {
    double beta2 = h.beta2();
    for (int b = 0; b < f.batch(); b++) {
      double[] rows = new double[f.rows()];
      double[] columns = new double[f.columns()];
      for (int r = 0; r < f.rows(); r++) {
        for (int c = 0; c < f.columns(); c++) {
          double g = get(gradient, b * f.batchStride() + r * f.rowStride() + c) * scale(gradientScale);
          rows[r] += (g * g + h.eps()) / f.columns();
          columns[c] += (g * g + h.eps()) / f.rows();
        }
      }
      double meanOfRows = 0;
      for (int r = 0; r < f.rows(); r++) {
        long at = (long) b * f.rows() + r;
        rows[r] = beta2 * get(vRow, at) + (1 - beta2) * rows[r];
        set(vRow, at, rows[r]);
        meanOfRows += rows[r] / f.rows();
      }
      for (int c = 0; c < f.columns(); c++) {
        long at = (long) b * f.columns() + c;
        columns[c] = beta2 * get(vColumn, at) + (1 - beta2) * columns[c];
        set(vColumn, at, columns[c]);
      }
      for (int r = 0; r < f.rows(); r++) {
        for (int c = 0; c < f.columns(); c++) {
          long at = b * f.batchStride() + r * f.rowStride() + c;
          double g = get(gradient, at) * scale(gradientScale);
          apply(h, param, m, at, g / Math.sqrt(rows[r] / meanOfRows) / Math.sqrt(columns[c]), rounding);
        }
      }
    }
  }

  private static void apply(Adafactor h, Span param, Span m, long i, double update, Rounding rounding) {
    double kept = Mat.rounded(Mat.rounded(h.momentum(), m.dtype()) * get(m, i), m.dtype());
    double mean = kept + (1 - (double) h.momentum()) * update;
    set(m, i, mean);
    double old = get(param, i);
    store(param, i, old - (h.learningRate() * mean + h.weightDecay() * old), rounding);
  }

  @Override
  public void adafactorUnfactored(
      Adafactor h, Span param, Span gradient, @Nullable Span gradientScale, Span v, Span m, Rounding rounding) {
    double beta2 = h.beta2();
    for (long i = 0; i < param.count(); i++) {
      double g = get(gradient, i) * scale(gradientScale);
      double square = beta2 * get(v, i) + (1 - beta2) * (g * g + h.eps());
      set(v, i, square);
      apply(h, param, m, i, g / Math.sqrt(square), rounding);
    }
  }

  @Override
  public void sgd(Sgd h, Span param, Span gradient, @Nullable Span gradientScale, Span m, Rounding rounding) {
    for (long i = 0; i < param.count(); i++) {
      double old = get(param, i);
      double d = get(gradient, i) * scale(gradientScale) + h.weightDecay() * old;
      double moving = h.momentum() * get(m, i) + d;
      set(m, i, moving);
      store(param, i, old - h.learningRate() * (h.nesterov() ? d + h.momentum() * moving : moving), rounding);
    }
  }
}
