package dev.fovea.kernels;

import java.util.List;
import org.jspecify.annotations.Nullable;

/** {@link OptimizerKernels} that check their arguments first. */
record CheckedOptimizer(OptimizerKernels kernels) implements OptimizerKernels {
  @Override
  public void adamW(
      AdamW h, Span param, Span gradient, @Nullable Span gradientScale, Span m, Span v, Rounding rounding) {
    hyperParameters(h);
    operands(param, gradient, gradientScale, m);
    second(v, param, gradient, m);
    kernels.adamW(h, param, gradient, gradientScale, m, v, rounding);
  }

  @Override
  public void adafactor(
      Adafactor h,
      Factors factors,
      Span param,
      Span gradient,
      @Nullable Span gradientScale,
      Span vRow,
      Span vColumn,
      Span m,
      Rounding rounding) {
    hyperParameters(h);
    factored(factors, param, gradient, gradientScale, vRow, vColumn, m);
    kernels.adafactor(h, factors, param, gradient, gradientScale, vRow, vColumn, m, rounding);
  }

  @Override
  public void adafactorUnfactored(
      Adafactor h, Span param, Span gradient, @Nullable Span gradientScale, Span v, Span m, Rounding rounding) {
    hyperParameters(h);
    operands(param, gradient, gradientScale, m);
    second(v, param, gradient, m);
    kernels.adafactorUnfactored(h, param, gradient, gradientScale, v, m, rounding);
  }

  @Override
  public void sgd(Sgd h, Span param, Span gradient, @Nullable Span gradientScale, Span m, Rounding rounding) {
    hyperParameters(h);
    operands(param, gradient, gradientScale, m);
    kernels.sgd(h, param, gradient, gradientScale, m, rounding);
  }

  @Override
  public void adamW(AdamW h, @Nullable Span now, List<Piece> pieces, @Nullable Span gradientScale, Rounding rounding) {
    hyperParameters(h);
    pieces(now, pieces, gradientScale, true);
    kernels.adamW(h, now, pieces, gradientScale, rounding);
  }

  @Override
  public void adafactor(
      Adafactor h, @Nullable Span now, List<FactoredPiece> pieces, @Nullable Span gradientScale, Rounding rounding) {
    hyperParameters(h);
    values(now);
    for (FactoredPiece p : pieces) {
      factored(p.factors(), p.param(), p.gradient(), gradientScale, p.vRow(), p.vColumn(), p.m());
      rates(p.rate(), p.decay());
      rounded(p.rounded(), p.param(), p.gradient(), p.m());
      Check.apart("rounded", p.rounded(), "vRow", p.vRow());
      Check.apart("rounded", p.rounded(), "vColumn", p.vColumn());
    }
    kernels.adafactor(h, now, pieces, gradientScale, rounding);
  }

  @Override
  public void adafactorUnfactored(
      Adafactor h, @Nullable Span now, List<Piece> pieces, @Nullable Span gradientScale, Rounding rounding) {
    hyperParameters(h);
    pieces(now, pieces, gradientScale, true);
    kernels.adafactorUnfactored(h, now, pieces, gradientScale, rounding);
  }

  @Override
  public void sgd(Sgd h, @Nullable Span now, List<Piece> pieces, @Nullable Span gradientScale, Rounding rounding) {
    hyperParameters(h);
    pieces(now, pieces, gradientScale, false);
    kernels.sgd(h, now, pieces, gradientScale, rounding);
  }

  private static void pieces(@Nullable Span now, List<Piece> pieces, @Nullable Span gradientScale, boolean hasSecond) {
    values(now);
    for (Piece p : pieces) {
      operands(p.param(), p.gradient(), gradientScale, p.m());
      rates(p.rate(), p.decay());
      if ((p.v() != null) != hasSecond) {
        throw new IllegalArgumentException(
            "v: got %s, expected %s".formatted(p.v() == null ? "none" : "one", hasSecond ? "one" : "none"));
      }
      if (p.v() != null) {
        second(p.v(), p.param(), p.gradient(), p.m());
      }
      rounded(p.rounded(), p.param(), p.gradient(), p.m());
      Check.apart("rounded", p.rounded(), "v", p.v());
    }
  }

  private static void rounded(@Nullable Span rounded, Span param, Span gradient, Span m) {
    if (rounded == null) {
      return;
    }
    Check.typed("rounded", rounded, DType.BF16, 0);
    Check.sameCount("rounded", rounded, "param", param);
    if (param.dtype() != DType.F32) {
      throw new IllegalArgumentException("param: got %s, expected F32, which is rounded".formatted(param.dtype()));
    }
    momentApart("rounded", rounded, param, gradient, m);
  }

  private static void values(@Nullable Span now) {
    Check.optionalTyped("now", now, DType.I32, StepValues.WORDS);
    if (now != null && now.address() % Long.BYTES != 0) {
      throw new IllegalArgumentException("now: got address %d, expected a multiple of 8".formatted(now.address()));
    }
  }

  private static void rates(float rate, float decay) {
    Check.range("rate", rate, 0, Float.MAX_VALUE);
    Check.range("decay", decay, 0, Float.MAX_VALUE);
  }

  private static void second(Span v, Span param, Span gradient, Span m) {
    Check.typed("v", v, DType.F32, 0);
    Check.sameCount("v", v, "param", param);
    momentApart("v", v, param, gradient, m);
  }

  private static void factored(
      Factors factors, Span param, Span gradient, @Nullable Span gradientScale, Span vRow, Span vColumn, Span m) {
    operands(param, gradient, gradientScale, m);
    factors(factors, param);
    Check.typed("vRow", vRow, DType.F32, (long) factors.batch() * factors.rows());
    Check.typed("vColumn", vColumn, DType.F32, (long) factors.batch() * factors.columns());
    Check.apart("vRow", vRow, "vColumn", vColumn);
    momentApart("vRow", vRow, param, gradient, m);
    momentApart("vColumn", vColumn, param, gradient, m);
  }

  private static void hyperParameters(AdamW h) {
    rates(h.learningRate(), h.weightDecay(), h.step());
    decay("beta1", h.beta1());
    decay("beta2", h.beta2());
    Check.range("eps", h.eps(), 0, Float.MAX_VALUE);
  }

  private static void hyperParameters(Sgd h) {
    rates(h.learningRate(), h.weightDecay(), 1);
    decay("momentum", h.momentum());
  }

  private static void rates(float learningRate, float weightDecay, long step) {
    Check.range("learningRate", learningRate, 0, Float.MAX_VALUE);
    Check.range("weightDecay", weightDecay, 0, Float.MAX_VALUE);
    Check.positive("step", step);
  }

  private static void hyperParameters(Adafactor h) {
    rates(h.learningRate(), h.weightDecay(), h.step());
    decay("momentum", h.momentum());
    Check.range("decayRate", h.decayRate(), 0, Float.MAX_VALUE);
    decay("beta2Cap", h.beta2Cap());
    Check.range("eps", h.eps(), 0, Float.MAX_VALUE);
  }

  private static void decay(String name, float value) {
    if (!(value >= 0 && value < 1)) {
      throw new IllegalArgumentException("%s: got %s, expected at least 0 and below 1".formatted(name, value));
    }
  }

  private static void operands(Span param, Span gradient, @Nullable Span gradientScale, Span m) {
    Check.real("param", param);
    Check.real("gradient", gradient);
    Check.sameCount("gradient", gradient, "param", param);
    Check.optionalTyped("gradientScale", gradientScale, DType.F32, 1);
    Check.real("m", m);
    Check.sameCount("m", m, "param", param);
    Check.apart("gradient", gradient, "param", param);
    Check.apart("m", m, "param", param);
    Check.apart("m", m, "gradient", gradient);
  }

  private static void momentApart(String name, Span v, Span param, Span gradient, Span m) {
    Check.apart(name, v, "param", param);
    Check.apart(name, v, "gradient", gradient);
    Check.apart(name, v, "m", m);
  }

  private static void factors(Factors f, Span param) {
    Check.positive("batch", f.batch());
    Check.positive("rows", f.rows());
    Check.positive("columns", f.columns());
    if (f.rowStride() < f.columns()) {
      throw new IllegalArgumentException(
          "rowStride: got %d, expected at least %d columns".formatted(f.rowStride(), f.columns()));
    }
    long matrix = Math.addExact(Math.multiplyExact(f.rows() - 1L, f.rowStride()), f.columns());
    // matrices lie one after the other, or side by side in the gaps between each other's rows
    long row = Math.addExact(Math.multiplyExact(f.batch() - 1L, Math.max(0, f.batchStride())), f.columns());
    boolean sideBySide = f.batchStride() >= f.columns() && row <= f.rowStride();
    if (f.batch() > 1 && f.batchStride() < matrix && !sideBySide) {
      throw new IllegalArgumentException(
          "batchStride: got %d, expected matrices that do not overlap: at least %d, or %d to %d"
              .formatted(f.batchStride(), matrix, f.columns(), f.rowStride() / f.batch()));
    }
    long last = f.batch() == 1 ? 0 : Math.multiplyExact(f.batch() - 1L, f.batchStride());
    Check.holds("param", param, Math.addExact(last, matrix));
  }
}
