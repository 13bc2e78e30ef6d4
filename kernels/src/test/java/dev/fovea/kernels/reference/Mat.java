package dev.fovea.kernels.reference;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.Sums;
import dev.fovea.kernels.contract.HostCaseMemory;

/** Elements of spans as doubles. */
final class Mat {
  private Mat() {}

  static double get(Span span, long i) {
    return HostCaseMemory.get(span, i);
  }

  static void set(Span span, long i, double value) {
    HostCaseMemory.set(span, i, value);
  }

  static void add(Span span, long i, double value) {
    set(span, i, get(span, i) + value);
  }

  /** Puts a sum where it belongs. */
  static void put(Sums sums, long i, double value) {
    set(sums.span(), i, sums.add() ? get(sums.span(), i) + value : value);
  }

  /** The value as a store to {@code dtype} would round it. */
  static double rounded(double value, DType dtype) {
    if (dtype == DType.BF16) {
      int bits = Float.floatToRawIntBits((float) value);
      return Double.isNaN(value) ? value : Float.intBitsToFloat(bits + 0x7fff + (bits >>> 16 & 1) & 0xffff0000);
    }
    return dtype == DType.F32 ? (float) value : value;
  }
}
