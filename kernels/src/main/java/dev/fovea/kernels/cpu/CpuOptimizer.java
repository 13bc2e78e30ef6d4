package dev.fovea.kernels.cpu;

import dev.fovea.kernels.OptimizerKernels;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.cpu.simd.Simd;
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
    step.adamW(h);
    step.run(pool, param, gradient, gradientScale, m, v, rounding);
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
    step.run(pool, h, factors, param, gradient, gradientScale, vRow, vColumn, m, rounding);
    factored.give(step);
  }

  @Override
  public void adafactorUnfactored(
      Adafactor h, Span param, Span gradient, @Nullable Span gradientScale, Span v, Span m, Rounding rounding) {
    OptimizerStep step = steps.take();
    step.adafactor(h);
    step.run(pool, param, gradient, gradientScale, m, v, rounding);
    steps.give(step);
  }

  @Override
  public void sgd(Sgd h, Span param, Span gradient, @Nullable Span gradientScale, Span m, Rounding rounding) {
    OptimizerStep step = steps.take();
    step.sgd(h);
    step.run(pool, param, gradient, gradientScale, m, Spans.NONE, rounding);
    steps.give(step);
  }
}
