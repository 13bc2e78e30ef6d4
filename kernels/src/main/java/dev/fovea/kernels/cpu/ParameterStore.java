package dev.fovea.kernels.cpu;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.OptimizerKernels.Rounding;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.cpu.simd.Convert;
import dev.fovea.kernels.cpu.simd.Philox;
import dev.fovea.kernels.cpu.simd.Simd;

/** Writes updated parameters back, rounded as asked for. */
final class ParameterStore {
  /** The slot of {@link Scratch#ints} for the random words. */
  private static final int WORDS = 0;

  private final Staging staging;
  private final Convert convert;
  private final Philox philox;

  ParameterStore(Simd simd) {
    convert = simd.convert();
    philox = simd.philox();
    staging = new Staging(convert);
  }

  /** Elements {@code [first, first + count)} of the parameter; these indices choose the random words. */
  void store(float[] from, int at, Span param, long first, int count, Rounding rounding, Scratch scratch) {
    if (param.dtype() == DType.BF16 && rounding.stochastic()) {
      int[] words = scratch.ints(WORDS, count);
      philox.words(rounding.seed(), rounding.step(), first, words, 0, count);
      convert.storeBf16Stochastic(from, at, words, 0, param.address() + 2 * first, count);
    } else {
      staging.store(from, at, param, first, count);
    }
  }
}
