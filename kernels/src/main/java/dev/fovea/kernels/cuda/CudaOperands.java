package dev.fovea.kernels.cuda;

import dev.fovea.kernels.Activation;
import dev.fovea.kernels.DType;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.Sums;
import org.jspecify.annotations.Nullable;

/** Writes operands into a launch as {@code operand.cuh} lays them out, and says how they may be read. */
final class CudaOperands {
  /** Elements that a kernel reads at once where it can. */
  static final int QUAD = 4;

  /** Bytes that an asynchronous copy moves. */
  static final int CHUNK_BYTES = 16;

  private CudaOperands() {}

  /**
   * A matrix, or none.
   *
   * @param quads whether columns are asked for in whole quads: from multiples of four on
   */
  static void matrix(Launch launch, @Nullable Span span, long ld, boolean quads) {
    if (span == null) {
      launch.pointer(0).i64(0).i32(0).i32(0);
      return;
    }
    boolean vectors =
        quads && ld % QUAD == 0 && span.address() % ((long) QUAD * span.dtype().bytes()) == 0;
    launch.pointer(span.address()).i64(ld).i32(code(span.dtype())).i32(vectors ? 1 : 0);
  }

  /** Sums, or none. */
  static void sums(Launch launch, @Nullable Sums sums) {
    launch
        .pointer(sums == null ? 0 : sums.span().address())
        .i32(sums != null && sums.add() ? 1 : 0)
        .i32(0);
  }

  /** A vector that is asked for in whole quads, or none. */
  static void vector(Launch launch, @Nullable Span span) {
    matrix(launch, span, 0, true);
  }

  /** A vector, or none. */
  static void vector(Launch launch, @Nullable Span span, boolean quads) {
    matrix(launch, span, 0, quads);
  }

  /** The address of a span without more ado, 0 for none. */
  static long address(@Nullable Span span) {
    return span == null ? 0 : span.address();
  }

  /** A dtype as {@code Type} in {@code operand.cuh}. */
  static int code(DType dtype) {
    return switch (dtype) {
      case F32 -> 0;
      case BF16 -> 1;
      case F16 -> 2;
      case F64 -> 3;
      case I32 -> 4;
      case I64 -> 5;
      case U8 -> 6;
    };
  }

  /** A function as {@code Activation} in {@code math.cuh}. */
  static int code(Activation function) {
    return switch (function) {
      case NONE -> 0;
      case GELU_ERF -> 1;
      case GELU_TANH -> 2;
      case GELU_QUICK -> 3;
      case SILU -> 4;
      case TANH -> 5;
    };
  }

  /** Whether every row of a BF16 matrix begins on 16 bytes. */
  static boolean isChunked(Span span, long ld) {
    return span.dtype() == DType.BF16
        && span.address() % CHUNK_BYTES == 0
        && ld % (CHUNK_BYTES / DType.BF16.bytes()) == 0;
  }
}
