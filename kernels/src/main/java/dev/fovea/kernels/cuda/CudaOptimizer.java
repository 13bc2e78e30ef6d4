package dev.fovea.kernels.cuda;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.OptimizerKernels;
import dev.fovea.kernels.Span;
import org.jspecify.annotations.Nullable;

/** Optimizer steps on a GPU: {@code optimizer.cu}. */
final class CudaOptimizer implements OptimizerKernels {
  private static final int THREADS = 256;
  private static final int WARPS = THREADS / 32;
  private static final int FACTOR_THREADS = 1024;

  /** Columns that a block measures. */
  private static final int TILE = 128;

  /** A strip has at least so many rows, and there are at most so many strips. */
  private static final int STRIP = 8 * WARPS;

  private static final int MAX_STRIPS = 64;
  private static final int ALIGNMENT = 256;

  private final CudaQueue queue;
  private final CudaKernel adamW;
  private final CudaKernel sgd;
  private final CudaKernel adafactor;
  private final CudaKernel measure;
  private final CudaKernel factors;
  private final CudaKernel update;

  CudaOptimizer(CudaQueue queue) {
    this.queue = queue;
    CudaFamily family = queue.family("optimizer");
    adamW = family.kernel("adamw_step");
    sgd = family.kernel("sgd_step");
    adafactor = family.kernel("adafactor_step");
    measure = family.kernel("adafactor_measure");
    factors = family.kernel("adafactor_factors");
    update = family.kernel("adafactor_update");
  }

  @Override
  public void adamW(
      AdamW h, Span param, Span gradient, @Nullable Span gradientScale, Span m, Span v, Rounding rounding) {
    if (param.count() == 0) {
      return;
    }
    Launch launch = step(param, gradient, gradientScale, m, v);
    random(launch, rounding)
        .f32(h.beta1())
        .f32(1 - h.beta1())
        .f32(h.beta2())
        .f32(h.eps())
        .f32((float) (1 - (double) h.learningRate() * h.weightDecay()))
        .f32((float) (h.learningRate() / (1 - Math.pow(h.beta1(), h.step()))))
        .f32((float) (1 / Math.sqrt(1 - Math.pow(h.beta2(), h.step()))));
    queue.run(adamW, flags(launch, rounding, false));
  }

  @Override
  public void sgd(Sgd h, Span param, Span gradient, @Nullable Span gradientScale, Span m, Rounding rounding) {
    if (param.count() == 0) {
      return;
    }
    Launch launch = step(param, gradient, gradientScale, m, null);
    random(launch, rounding)
        .f32(h.momentum())
        .f32(1)
        .f32(0)
        .f32(0)
        .f32(h.weightDecay())
        .f32(h.learningRate())
        .f32(0);
    queue.run(sgd, flags(launch, rounding, h.nesterov()));
  }

  @Override
  public void adafactorUnfactored(
      Adafactor h, Span param, Span gradient, @Nullable Span gradientScale, Span v, Span m, Rounding rounding) {
    if (param.count() == 0) {
      return;
    }
    Launch launch = step(param, gradient, gradientScale, m, v);
    queue.run(adafactor, rule(launch, h, m, rounding));
  }

  /** All but the rule of a step that treats every element alike. */
  private Launch step(Span param, Span gradient, @Nullable Span gradientScale, Span m, @Nullable Span v) {
    Launch launch = CudaRows.flat(queue, queue.launch(), param.count());
    CudaOperands.vector(launch, param);
    CudaOperands.vector(launch, gradient);
    CudaOperands.vector(launch, m);
    CudaOperands.vector(launch, v);
    return launch.pointer(CudaOperands.address(gradientScale)).i64(param.count());
  }

  private static Launch rule(Launch launch, Adafactor h, Span m, Rounding rounding) {
    random(launch, rounding)
        .f32(m.dtype() == DType.BF16 ? nearestBf16(h.momentum()) : h.momentum())
        .f32(1 - h.momentum())
        .f32(h.beta2())
        .f32(h.eps())
        .f32(1 - h.weightDecay())
        .f32(h.learningRate())
        .f32(0);
    return flags(launch, rounding, false);
  }

  private static Launch random(Launch launch, Rounding rounding) {
    return launch.i64(rounding.seed()).i64(rounding.step());
  }

  private static Launch flags(Launch launch, Rounding rounding, boolean nesterov) {
    return launch.i32(rounding.stochastic() ? 1 : 0).i32(nesterov ? 1 : 0).i32(0);
  }

  /** Of a number far from overflow. */
  private static float nearestBf16(float x) {
    int bits = Float.floatToRawIntBits(x);
    return Float.intBitsToFloat(bits + 0x7fff + (bits >>> 16 & 1) & 0xffff0000);
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
    int tiles = Math.ceilDiv(f.columns(), TILE);
    int rowsPerStrip = Math.max(STRIP, Math.ceilDiv(f.rows(), MAX_STRIPS));
    int strips = Math.ceilDiv(f.rows(), rowsPerStrip);
    long allRows = (long) f.batch() * f.rows();
    long allColumns = (long) f.batch() * f.columns();
    long columnFactors =
        queue.scratch(room(allColumns) + room(allColumns * strips) + room(allRows) + room(allRows * tiles));
    long columnSums = columnFactors + room(allColumns);
    long rowFactors = columnSums + room(allColumns * strips);
    long rowSums = rowFactors + room(allRows);
    boolean quads = f.batch() == 1 || f.batchStride() % CudaOperands.QUAD == 0;
    Launch launch = queue.launch();
    CudaOperands.matrix(launch, param, f.rowStride(), quads);
    CudaOperands.matrix(launch, gradient, f.rowStride(), quads);
    CudaOperands.matrix(launch, m, f.rowStride(), quads);
    Span columns = new Span(columnFactors, Float.BYTES * allColumns, DType.F32);
    CudaOperands.matrix(launch, columns, f.columns(), true);
    launch
        .pointer(rowFactors)
        .pointer(vRow.address())
        .pointer(vColumn.address())
        .pointer(rowSums)
        .pointer(columnSums)
        .pointer(CudaOperands.address(gradientScale))
        .i64(f.batchStride())
        .i32(f.batch())
        .i32(f.rows())
        .i32(f.columns())
        .i32(rowsPerStrip)
        .i32(strips)
        .i32(tiles);
    rule(launch, h, m, rounding);
    // The three take the same struct.
    queue.run(measure, launch.grid((long) tiles * strips * f.batch(), 1, 1).block(THREADS, 1, 1));
    long blocks = f.batch() * (1L + Math.ceilDiv(f.columns(), FACTOR_THREADS));
    queue.run(factors, launch.grid(blocks, 1, 1).block(FACTOR_THREADS, 1, 1));
    queue.run(update, CudaRows.shape(queue, launch, allRows, f.columns()));
  }

  /** Bytes of so many floats, up to where the next ones may begin. */
  private static long room(long count) {
    return (count * Float.BYTES + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }
}
