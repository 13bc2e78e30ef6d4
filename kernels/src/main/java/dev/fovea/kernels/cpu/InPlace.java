package dev.fovea.kernels.cpu;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.OptimizerKernels.Rounding;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.cpu.simd.Convert;
import dev.fovea.kernels.cpu.simd.Philox;
import dev.fovea.kernels.cpu.simd.Simd;

/**
 * Operands of optimizer steps as F32 in native memory: F32 where it lies, BF16 in scratch memory. Staging everything,
 * as kernels that compute more do, would take as long as the memory does.
 */
final class InPlace {
  private static final int VALUES = 4;
  private static final int WORDS = 0;

  private final Convert convert;
  private final Philox philox;

  InPlace(Simd simd) {
    convert = simd.convert();
    philox = simd.philox();
  }

  /** The address of elements {@code [first, first + count)}, converted into a slot of the scratch memory if need be. */
  long load(Span span, long first, int count, int slot, Scratch scratch) {
    if (span.dtype() == DType.F32) {
      return span.address() + 4 * first;
    }
    float[] values = scratch.floats(VALUES, count);
    convert.loadBf16(span.address() + 2 * first, values, 0, count);
    long address = scratch.memory(slot, 4L * Chunks.CHUNK);
    convert.storeF32(values, 0, address, count);
    return address;
  }

  /** Takes back what {@link #load} gave out. */
  void store(long from, Span span, long first, int count, Scratch scratch) {
    store(from, span, first, count, Rounding.NEAREST, scratch);
  }

  /** As {@link #store}, rounded as asked for; the elements' indices choose the random words. */
  void store(long from, Span span, long first, int count, Rounding rounding, Scratch scratch) {
    if (span.dtype() == DType.F32) {
      return;
    }
    float[] values = scratch.floats(VALUES, count);
    convert.loadF32(from, values, 0, count);
    long to = span.address() + 2 * first;
    if (rounding.stochastic()) {
      int[] words = scratch.ints(WORDS, count);
      philox.words(rounding.seed(), rounding.step(), first, words, 0, count);
      convert.storeBf16Stochastic(values, 0, words, 0, to, count);
    } else {
      convert.storeBf16(values, 0, to, count);
    }
  }
}
