package dev.fovea.kernels.reference;

import static dev.fovea.kernels.reference.Mat.get;
import static dev.fovea.kernels.reference.Mat.set;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.OptimizerKernels;
import dev.fovea.kernels.Span;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Steps of many tensors, one after the other; a step of one is the default, a step of a list of one. */
final class ReferenceOptimizer implements OptimizerKernels {
  /** The values of this step, exact where the device does not say them. */
  private record Now(double learningRate, double first, double second, long randomStep) {
    static Now of(@Nullable Span now, double learningRate, double first, double second, Rounding rounding) {
      return now == null
          ? new Now(learningRate, first, second, rounding.step())
          : new Now(number(now, 0), number(now, 1), number(now, 2), word(now, 4) & 0xffff_ffffL | word(now, 5) << 32);
    }

    private static long word(Span now, int i) {
      return (long) get(now, i);
    }

    private static double number(Span now, int i) {
      return Float.intBitsToFloat((int) word(now, i));
    }

    /** A tensor's learning rate. */
    double rate(float rate) {
      return (float) (learningRate * rate);
    }

    Rounding rounding(Rounding r, int i) {
      return new Rounding(r.stochastic(), r.seed() + i, randomStep);
    }
  }

  private static double scale(@Nullable Span gradientScale) {
    return gradientScale == null ? 1 : get(gradientScale, 0);
  }

  private static void store(Span param, @Nullable Span rounded, long i, double value, Rounding rounding) {
    if (param.dtype() == DType.BF16 && rounding.stochastic()) {
      set(
          param,
          i,
          ReferenceCasts.stochastic((float) value, ReferenceRandom.word(rounding.seed(), rounding.step(), i)));
    } else {
      set(param, i, value);
    }
    if (rounded != null) {
      set(rounded, i, value);
    }
  }

  @Override
  public void adamW(AdamW h, @Nullable Span at, List<Piece> pieces, @Nullable Span gradientScale, Rounding rounding) {
    double first = 1 / (1 - Math.pow(h.beta1(), h.step()));
    double second = 1 / Math.sqrt(1 - Math.pow(h.beta2(), h.step()));
    Now now = Now.of(at, h.learningRate(), first, second, rounding);
    for (int n = 0; n < pieces.size(); n++) {
      Piece p = pieces.get(n);
      double rate = now.rate(p.rate());
      for (long i = 0; i < p.param().count(); i++) {
        double g = get(p.gradient(), i) * scale(gradientScale);
        double mean = h.beta1() * get(p.m(), i) + (1 - (double) h.beta1()) * g;
        double square = h.beta2() * get(p.v(), i) + (1 - (double) h.beta2()) * g * g;
        double shrunk = get(p.param(), i) * (1 - rate * p.decay());
        double root = Math.sqrt(square) * now.second;
        set(p.m(), i, mean);
        set(p.v(), i, square);
        store(
            p.param(), p.rounded(), i, shrunk - rate * mean * now.first / (root + h.eps()), now.rounding(rounding, n));
      }
    }
  }

  @Override
  public void adafactor(
      Adafactor h, @Nullable Span at, List<FactoredPiece> pieces, @Nullable Span gradientScale, Rounding rounding) {
    Now now = Now.of(at, h.learningRate(), h.beta2(), 0, rounding);
    for (int n = 0; n < pieces.size(); n++) {
      FactoredPiece p = pieces.get(n);
      double rate = now.rate(p.rate());
      for (int b = 0; b < p.factors().batch(); b++) {
        matrix(h, now.first, rate, p, b, scale(gradientScale), now.rounding(rounding, n));
      }
    }
  }

  private static void matrix(
      Adafactor h, double beta2, double rate, FactoredPiece p, int b, double scale, Rounding rounding) {
    Factors f = p.factors();
    double[] rows = new double[f.rows()];
    double[] columns = new double[f.columns()];
    for (int r = 0; r < f.rows(); r++) {
      for (int c = 0; c < f.columns(); c++) {
        double g = get(p.gradient(), b * f.batchStride() + r * f.rowStride() + c) * scale;
        rows[r] += (g * g + h.eps()) / f.columns();
        columns[c] += (g * g + h.eps()) / f.rows();
      }
    }
    double meanOfRows = 0;
    for (int r = 0; r < f.rows(); r++) {
      rows[r] = moved(p.vRow(), (long) b * f.rows() + r, beta2, rows[r]);
      meanOfRows += rows[r] / f.rows();
    }
    for (int c = 0; c < f.columns(); c++) {
      columns[c] = moved(p.vColumn(), (long) b * f.columns() + c, beta2, columns[c]);
    }
    for (int r = 0; r < f.rows(); r++) {
      for (int c = 0; c < f.columns(); c++) {
        long i = b * f.batchStride() + r * f.rowStride() + c;
        double update = get(p.gradient(), i) * scale / Math.sqrt(rows[r] / meanOfRows) / Math.sqrt(columns[c]);
        apply(h, rate, p.decay(), p.param(), p.rounded(), p.m(), i, update, rounding);
      }
    }
  }

  private static double moved(Span v, long i, double beta2, double square) {
    double moved = beta2 * get(v, i) + (1 - beta2) * square;
    set(v, i, moved);
    return moved;
  }

  private static void apply(
      Adafactor h,
      double rate,
      double decay,
      Span param,
      @Nullable Span rounded,
      Span m,
      long i,
      double update,
      Rounding rounding) {
    double kept = Mat.rounded(Mat.rounded(h.momentum(), m.dtype()) * get(m, i), m.dtype());
    double mean = kept + (1 - (double) h.momentum()) * update;
    set(m, i, mean);
    store(param, rounded, i, get(param, i) * (1 - rate * decay) - rate * mean, rounding);
  }

  @Override
  public void adafactorUnfactored(
      Adafactor h, @Nullable Span at, List<Piece> pieces, @Nullable Span gradientScale, Rounding rounding) {
    Now now = Now.of(at, h.learningRate(), h.beta2(), 0, rounding);
    for (int n = 0; n < pieces.size(); n++) {
      Piece p = pieces.get(n);
      Rounding its = now.rounding(rounding, n);
      for (long i = 0; i < p.param().count(); i++) {
        double g = get(p.gradient(), i) * scale(gradientScale);
        double square = moved(p.v(), i, now.first, g * g + h.eps());
        apply(h, now.rate(p.rate()), p.decay(), p.param(), p.rounded(), p.m(), i, g / Math.sqrt(square), its);
      }
    }
  }

  @Override
  public void sgd(Sgd h, @Nullable Span at, List<Piece> pieces, @Nullable Span gradientScale, Rounding rounding) {
    Now now = Now.of(at, h.learningRate(), 0, 0, rounding);
    for (int n = 0; n < pieces.size(); n++) {
      Piece p = pieces.get(n);
      double rate = now.rate(p.rate());
      for (long i = 0; i < p.param().count(); i++) {
        double old = get(p.param(), i);
        double d = get(p.gradient(), i) * scale(gradientScale) + h.weightDecay() * old;
        double moving = h.momentum() * get(p.m(), i) + d;
        double step = h.nesterov() ? d + h.momentum() * moving : moving;
        set(p.m(), i, moving);
        store(p.param(), p.rounded(), i, old * (1 - rate * p.decay()) - rate * step, now.rounding(rounding, n));
      }
    }
  }
}
