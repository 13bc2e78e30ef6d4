package dev.fovea.kernels.contract;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.Sums;

/**
 * The memory of one kernel case on one device. Inputs are drawn from the case's seed, so that every device gets the
 * same bits; what is declared an output is compared.
 */
public interface CaseMemory {
  /** Normal numbers times {@code deviation}, rounded to F32 or BF16. The n-th call of a case draws the n-th stream. */
  Span normal(DType dtype, long count, double deviation);

  /** The given values, rounded to the dtype. */
  Span values(DType dtype, double... values);

  /** Integers in [low, high), in I32, I64 or U8. */
  Span integers(DType dtype, long count, long low, long high);

  /** A result that the kernel overwrites: filled with NaN (integers: 0x55) beforehand. */
  Span output(String name, DType dtype, long count, Tolerance tolerance);

  /** A result that the kernel also reads: declares a span drawn before. */
  Span inout(String name, Span span, Tolerance tolerance);

  /** Sums, added to what was drawn or in place of NaN. */
  default Sums sums(String name, long count, boolean add, Tolerance tolerance) {
    return add
        ? Sums.addedTo(inout(name, normal(DType.F32, count, 1), tolerance))
        : Sums.into(output(name, DType.F32, count, tolerance));
  }

  /** Room that is neither read nor compared, 64-byte aligned. */
  Span workspace(DType dtype, long count);
}
