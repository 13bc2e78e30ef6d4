package dev.fovea.kernels.cpu;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.OptimizerKernels.Rounding;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.cpu.simd.Convert;
import dev.fovea.kernels.cpu.simd.Philox;
import dev.fovea.kernels.cpu.simd.Simd;
import org.jspecify.annotations.Nullable;

/**
 * Operands as F32 in native memory: F32 where it lies, BF16 in scratch memory that stays in the first-level cache.
 * Staging everything, as kernels that compute more do, would take as long as the memory does.
 */
final class InPlace {
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
    long address = room(count, slot, scratch);
    convert.widenBf16(span.address() + 2 * first, address, count);
    return address;
  }

  /** As {@link #load} for elements that will only be written. */
  long target(Span span, long first, int count, int slot, Scratch scratch) {
    return span.dtype() == DType.F32 ? span.address() + 4 * first : room(count, slot, scratch);
  }

  private static long room(int count, int slot, Scratch scratch) {
    return scratch.memory(slot, 4L * Math.max(count, Chunks.CHUNK));
  }

  /** Takes back what {@link #load} or {@link #target} gave out. */
  void store(long from, Span span, long first, int count) {
    if (span.dtype() != DType.F32) {
      convert.narrowBf16(from, span.address() + 2 * first, count);
    }
  }

  /** Rounds elements that {@link #load} gave out to BF16 elsewhere as well, if there is such. */
  void round(long from, @Nullable Span to, long first, int count) {
    if (to != null) {
      convert.narrowBf16(from, to.address() + 2 * first, count);
    }
  }

  /** As {@link #store}, rounded as asked for; the elements' indices choose the random words. */
  void store(long from, Span span, long first, int count, Rounding rounding, Scratch scratch) {
    if (!rounding.stochastic()) {
      store(from, span, first, count);
    } else if (span.dtype() != DType.F32) {
      int[] words = scratch.ints(WORDS, count);
      philox.words(rounding.seed(), rounding.step(), first, words, 0, count);
      convert.narrowBf16Stochastic(from, words, span.address() + 2 * first, count);
    }
  }
}
