package dev.fovea.kernels.cpu;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.Norm;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.cpu.simd.Arithmetic;
import dev.fovea.kernels.cpu.simd.Simd;
import dev.fovea.kernels.cpu.simd.Streams;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * What {@link NormForward} and {@link NormBackward} share. A group is read from memory once and stays in the
 * first-level cache for all passes over it. Where {@link Streams} take the operands, groups are worked on where they
 * lie, each pass a group ahead of the next; else in arrays.
 */
abstract class NormGrid implements Grid {
  // Scratch slots: what a row holds, then what a block reads once.
  static final int X = 0;
  static final int DY = 1;
  static final int ADD = 2;
  static final int WEIGHT = 3;
  static final int BIAS = 4;
  static final int SUMS = 5;
  static final int UNUSED_GRADIENTS = 6;

  private static final Norm NO_NORM = Norm.layer(1, 1, 0);

  final Staging staging;
  final Arithmetic arithmetic;
  private final Streams streams;
  private final Streams halfStreams;
  Norm norm = NO_NORM;

  NormGrid(Simd simd) {
    staging = new Staging(simd.convert());
    arithmetic = simd.arithmetic();
    streams = simd.streams();
    halfStreams = simd.halfStreams();
  }

  static int blocks(long rows, long rowsPerBlock) {
    return Math.toIntExact((rows + rowsPerBlock - 1) / rowsPerBlock);
  }

  final int rowLength() {
    return Math.multiplyExact(norm.groups(), norm.width());
  }

  /** What works on operands of this type where they lie; null where groups must be staged. */
  final @Nullable Streams streams(DType dtype) {
    Streams its = dtype == DType.F32 ? streams : halfStreams;
    return its.takes(norm.width()) ? its : null;
  }

  /** The parameter vector in the streams' order, or {@code otherwise} in each place. */
  final float[] vector(@Nullable Span span, float otherwise, int slot, @Nullable Streams order, Scratch scratch) {
    int width = norm.width();
    float[] values = scratch.floats(slot, width);
    if (span == null) {
      Arrays.fill(values, 0, width, otherwise);
      return values;
    }
    staging.load(span, 0, values, 0, width);
    if (order != null) {
      order.arrange(values, 0, width);
    }
    return values;
  }

  final long address(Span span, long ld, long group) {
    long first = group / norm.groups() * ld + group % norm.groups() * norm.width();
    return span.address() + span.dtype().bytes() * first;
  }
}
