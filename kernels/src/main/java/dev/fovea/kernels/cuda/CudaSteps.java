package dev.fovea.kernels.cuda;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.OptimizerKernels.Rounding;
import dev.fovea.kernels.OptimizerKernels.StepValues;
import dev.fovea.kernels.Span;
import org.jspecify.annotations.Nullable;

/**
 * What optimizer steps of all tensors have in common: {@code Rule} in {@code steps.cuh}.
 *
 * @param now where the values of the step stand on the device, or null for {@code given}
 * @param momentum of the first moment
 */
record CudaSteps(
    @Nullable Span now,
    @Nullable Span gradientScale,
    StepValues given,
    Rounding rounding,
    float momentum,
    float beta2,
    float eps,
    float coupled,
    boolean nesterov) {
  // Kinds in steps.cuh.
  private static final int PARAM_BF16 = 1;
  private static final int GRADIENT_BF16 = 2;
  private static final int MOMENT_BF16 = 4;
  private static final int PARAM_QUADS = 8;
  private static final int GRADIENT_QUADS = 16;
  private static final int MOMENT_QUADS = 32;
  static final int OTHER_QUADS = 64;
  private static final int ROUNDED_QUADS = 128;

  /** Begins a launch over {@code count} tensors, the first of which is the {@code first} of all. */
  Launch begin(Launch launch, int first, int count) {
    return launch
        .pointer(CudaOperands.address(now))
        .pointer(CudaOperands.address(gradientScale))
        .f32(given.learningRate())
        .f32(given.first())
        .f32(given.second())
        .i32(0)
        .i64(given.step())
        .i64(rounding.seed() + first)
        .f32(momentum)
        .f32(1 - momentum)
        .f32(beta2)
        .f32(eps)
        .f32(coupled)
        .i32(rounding.stochastic() ? 1 : 0)
        .i32(nesterov ? 1 : 0)
        .i32(count);
  }

  /** The kinds of a tensor's operands; {@code quads} says whether they are asked for at multiples of four. */
  static int kinds(Span param, Span gradient, Span m, @Nullable Span rounded, boolean quads) {
    return (param.dtype() == DType.BF16 ? PARAM_BF16 : 0)
        | (gradient.dtype() == DType.BF16 ? GRADIENT_BF16 : 0)
        | (m.dtype() == DType.BF16 ? MOMENT_BF16 : 0)
        | (quads && isQuads(param) ? PARAM_QUADS : 0)
        | (quads && isQuads(gradient) ? GRADIENT_QUADS : 0)
        | (quads && isQuads(m) ? MOMENT_QUADS : 0)
        | (quads && rounded != null && isQuads(rounded) ? ROUNDED_QUADS : 0);
  }

  /** Whether the first four elements lie on a multiple of their size. */
  static boolean isQuads(Span span) {
    return span.address() % ((long) CudaOperands.QUAD * span.dtype().bytes()) == 0;
  }
}
