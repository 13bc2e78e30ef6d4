package dev.fovea.kernels.cpu;

import static dev.fovea.kernels.cpu.simd.Memory.ALL;
import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.fovea.kernels.OptimizerKernels;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.cpu.simd.Simd;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Optimizer steps on CPU. */
final class CpuOptimizer implements OptimizerKernels {
  private final WorkerPool pool;
  private final Recycler<OptimizerStep> steps;
  private final Recycler<FactoredStep> factored;

  CpuOptimizer(WorkerPool pool, Simd simd) {
    this.pool = pool;
    steps = new Recycler<>(() -> new OptimizerStep(simd));
    factored = new Recycler<>(() -> new FactoredStep(simd));
  }

  @Override
  public void adamW(
      AdamW h, Span param, Span gradient, @Nullable Span gradientScale, Span m, Span v, Rounding rounding) {
    OptimizerStep step = steps.take();
    step.adamW(h, h.learningRate(), h.meanFactor(), h.rootFactor(), h.weightDecay());
    step.run(pool, param, gradient, gradientScale, m, v, rounding, null);
    steps.give(step);
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
    FactoredStep step = factored.take();
    step.rule(h, h.learningRate(), h.beta2(), h.weightDecay());
    step.run(pool, factors, param, gradient, gradientScale, vRow, vColumn, m, rounding, null);
    factored.give(step);
  }

  @Override
  public void adafactorUnfactored(
      Adafactor h, Span param, Span gradient, @Nullable Span gradientScale, Span v, Span m, Rounding rounding) {
    OptimizerStep step = steps.take();
    step.adafactor(h, h.learningRate(), h.beta2(), h.weightDecay());
    step.run(pool, param, gradient, gradientScale, m, v, rounding, null);
    steps.give(step);
  }

  @Override
  public void sgd(Sgd h, Span param, Span gradient, @Nullable Span gradientScale, Span m, Rounding rounding) {
    OptimizerStep step = steps.take();
    step.sgd(h, h.learningRate(), 0);
    step.run(pool, param, gradient, gradientScale, m, Spans.NONE, rounding, null);
    steps.give(step);
  }

  @Override
  public void adamW(AdamW h, @Nullable Span now, List<Piece> pieces, @Nullable Span gradientScale, Rounding rounding) {
    StepValues values = now == null ? h.values(rounding) : read(now);
    OptimizerStep step = steps.take();
    for (int i = 0; i < pieces.size(); i++) {
      Piece piece = pieces.get(i);
      step.adamW(h, values.learningRate() * piece.rate(), values.first(), values.second(), piece.decay());
      run(step, piece, gradientScale, of(rounding, values, i));
    }
    steps.give(step);
  }

  @Override
  public void adafactor(
      Adafactor h, @Nullable Span now, List<FactoredPiece> pieces, @Nullable Span gradientScale, Rounding rounding) {
    StepValues values = now == null ? h.values(rounding) : read(now);
    FactoredStep step = factored.take();
    for (int i = 0; i < pieces.size(); i++) {
      FactoredPiece p = pieces.get(i);
      step.rule(h, values.learningRate() * p.rate(), values.first(), p.decay());
      Rounding its = of(rounding, values, i);
      step.run(
          pool, p.factors(), p.param(), p.gradient(), gradientScale, p.vRow(), p.vColumn(), p.m(), its, p.rounded());
    }
    factored.give(step);
  }

  @Override
  public void adafactorUnfactored(
      Adafactor h, @Nullable Span now, List<Piece> pieces, @Nullable Span gradientScale, Rounding rounding) {
    StepValues values = now == null ? h.values(rounding) : read(now);
    OptimizerStep step = steps.take();
    for (int i = 0; i < pieces.size(); i++) {
      Piece piece = pieces.get(i);
      step.adafactor(h, values.learningRate() * piece.rate(), values.first(), piece.decay());
      run(step, piece, gradientScale, of(rounding, values, i));
    }
    steps.give(step);
  }

  @Override
  public void sgd(Sgd h, @Nullable Span now, List<Piece> pieces, @Nullable Span gradientScale, Rounding rounding) {
    StepValues values = now == null ? h.values(rounding) : read(now);
    OptimizerStep step = steps.take();
    for (int i = 0; i < pieces.size(); i++) {
      Piece piece = pieces.get(i);
      step.sgd(h, values.learningRate() * piece.rate(), piece.decay());
      run(step, piece, gradientScale, of(rounding, values, i));
    }
    steps.give(step);
  }

  private void run(OptimizerStep step, Piece p, @Nullable Span gradientScale, Rounding rounding) {
    Span v = p.v();
    step.run(pool, p.param(), p.gradient(), gradientScale, p.m(), v == null ? Spans.NONE : v, rounding, p.rounded());
  }

  /** How the i-th tensor is rounded. */
  private static Rounding of(Rounding rounding, StepValues values, int i) {
    return rounding.stochastic() ? new Rounding(true, rounding.seed() + i, values.step()) : rounding;
  }

  private static StepValues read(Span now) {
    int[] words = new int[StepValues.WORDS];
    for (int i = 0; i < words.length; i++) {
      words[i] = ALL.get(JAVA_INT, now.address() + 4L * i);
    }
    return StepValues.of(words);
  }
}
