package dev.fovea.kernels.cpu;

import static dev.fovea.kernels.cpu.simd.Memory.ALL;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.fovea.kernels.OptimizerKernels.Adafactor;
import dev.fovea.kernels.OptimizerKernels.AdamW;
import dev.fovea.kernels.OptimizerKernels.Rounding;
import dev.fovea.kernels.OptimizerKernels.Sgd;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.cpu.simd.Simd;
import dev.fovea.kernels.cpu.simd.Updates;
import org.jspecify.annotations.Nullable;

/** One step of an optimizer that treats every element alike. */
final class OptimizerStep extends Chunks {
  private enum Rule {
    ADAMW,
    ADAFACTOR,
    SGD
  }

  private final Updates updates;
  private final InPlace memory;

  private final AdafactorUpdate adafactor = new AdafactorUpdate();

  private Rule rule = Rule.SGD;
  private float beta1;
  private float beta2;
  private float eps;
  private float coupled;
  private float shrink;
  private float rate;
  private float rootScale;
  private boolean nesterov;

  private Span param = Spans.NONE;
  private Span gradient = Spans.NONE;
  private Span m = Spans.NONE;
  private Span v = Spans.NONE;
  private @Nullable Span rounded;
  private float scale;
  private Rounding rounding = Rounding.NEAREST;

  OptimizerStep(Simd simd) {
    updates = simd.updates();
    memory = new InPlace(simd);
  }

  void adamW(AdamW h, float learningRate, float meanFactor, float rootFactor, float decay) {
    rule = Rule.ADAMW;
    beta1 = h.beta1();
    beta2 = h.beta2();
    eps = h.eps();
    shrink = shrink(learningRate, decay);
    rate = learningRate * meanFactor;
    rootScale = rootFactor;
  }

  void adafactor(Adafactor h, float learningRate, float itsBeta2, float decay) {
    rule = Rule.ADAFACTOR;
    beta2 = itsBeta2;
    eps = h.eps();
    adafactor.set(h, learningRate, decay);
  }

  void sgd(Sgd h, float learningRate, float decay) {
    rule = Rule.SGD;
    beta1 = h.momentum();
    coupled = h.weightDecay();
    shrink = shrink(learningRate, decay);
    rate = learningRate;
    nesterov = h.nesterov();
  }

  /** The parameter's factor before the step. */
  static float shrink(float learningRate, float decay) {
    return Math.fma(-learningRate, decay, 1f);
  }

  void run(
      WorkerPool pool,
      Span param,
      Span gradient,
      @Nullable Span gradientScale,
      Span m,
      Span v,
      Rounding rounding,
      @Nullable Span rounded) {
    this.param = param;
    this.gradient = gradient;
    this.m = m;
    adafactor.moment(m);
    this.v = v;
    this.rounding = rounding;
    this.rounded = rounded;
    scale = scale(gradientScale);
    run(pool, param.count());
  }

  static float scale(@Nullable Span gradientScale) {
    return gradientScale == null ? 1 : ALL.get(JAVA_FLOAT, gradientScale.address());
  }

  @Override
  void chunk(long first, int count, Scratch scratch) {
    long p = memory.load(param, first, count, 0, scratch);
    long g = memory.load(gradient, first, count, 1, scratch);
    long mean = memory.load(m, first, count, 2, scratch);
    long square = v.address() + 4 * first;
    switch (rule) {
      case ADAMW -> updates.adamW(p, g, mean, square, count, scale, beta1, beta2, eps, shrink, rate, rootScale);
      case ADAFACTOR -> adafactor.unfactored(updates, p, g, mean, square, count, scale, beta2, eps);
      case SGD -> updates.momentum(p, g, mean, count, scale, beta1, coupled, shrink, rate, nesterov);
    }
    memory.store(mean, m, first, count);
    memory.store(p, param, first, count, rounding, scratch);
    memory.round(p, rounded, first, count);
  }
}
