package dev.fovea.kernels.cpu;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.cpu.simd.Convert;

/** Moves elements of F32 and BF16 spans to and from {@code float[]}: how kernels are written once for both. */
final class Staging {
  private final Convert convert;

  Staging(Convert convert) {
    this.convert = convert;
  }

  /** Elements {@code [first, first + count)} of the span. */
  void load(Span span, long first, float[] to, int at, int count) {
    if (span.dtype() == DType.F32) {
      convert.loadF32(span.address() + 4 * first, to, at, count);
    } else {
      convert.loadBf16(span.address() + 2 * first, to, at, count);
    }
  }

  /** Rounds values as a store to the dtype, F32 or BF16, would. */
  void round(float[] x, int at, int count, DType dtype) {
    if (dtype == DType.BF16) {
      convert.roundBf16(x, at, count);
    }
  }

  /** The way back; BF16 rounds to nearest even. */
  void store(float[] from, int at, Span span, long first, int count) {
    if (span.dtype() == DType.F32) {
      convert.storeF32(from, at, span.address() + 4 * first, count);
    } else {
      convert.storeBf16(from, at, span.address() + 2 * first, count);
    }
  }
}
