package dev.fovea.tensor.ops;

import dev.fovea.kernels.Span;
import dev.fovea.kernels.Sums;
import dev.fovea.tensor.Input;
import dev.fovea.tensor.Output;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import org.jspecify.annotations.Nullable;

/** How operations read shapes and optional operands. */
final class Dims {
  private Dims() {}

  /** The last dimension, as an int. */
  static int last(String name, Tensor x) {
    if (x.shape().rank() == 0) {
      throw new IllegalArgumentException(name + ": got a scalar, expected at least one axis");
    }
    return Math.toIntExact(x.shape().dim(-1));
  }

  /** All dimensions but the last, multiplied. */
  static long rows(Tensor x) {
    return x.shape().count() / x.shape().dim(-1);
  }

  /** Checks that {@code x} is [count]. */
  static Tensor vector(String name, Tensor x, long count) {
    if (x.shape().count() != count) {
      throw new IllegalArgumentException("%s: got %s, expected [%d]".formatted(name, x.shape(), count));
    }
    return x;
  }

  /** Checks the number of axes. */
  static Tensor rank(String name, Tensor x, int rank, String meaning) {
    if (x.shape().rank() != rank) {
      throw new IllegalArgumentException("%s: got %s, expected %s".formatted(name, x.shape(), meaning));
    }
    return x;
  }

  /** Checks one shape against another. */
  static void same(String name, Tensor x, Shape expected) {
    if (!x.shape().equals(expected)) {
      throw new IllegalArgumentException("%s: got %s, expected %s".formatted(name, x.shape(), expected));
    }
  }

  /** The shape with another last dimension. */
  static Shape withLast(Shape shape, long last) {
    long[] dims = new long[shape.rank()];
    for (int i = 0; i < dims.length; i++) {
      dims[i] = shape.dim(i);
    }
    dims[dims.length - 1] = last;
    return Shape.of(dims);
  }

  static @Nullable Span span(@Nullable Input input) {
    return input == null ? null : input.span();
  }

  static @Nullable Span span(@Nullable Output output) {
    return output == null ? null : output.span();
  }

  static @Nullable Span span(@Nullable Tensor tensor) {
    return tensor == null ? null : tensor.span();
  }

  /** Where sums go that are an optional operand's gradient, if it wants one. */
  static @Nullable Sums sums(@Nullable Input input) {
    return input == null || !input.wantsGradient() ? null : input.sums();
  }

  /** An output that exists because the operation was recorded. */
  static Output given(@Nullable Output output) {
    if (output == null) {
      throw new AssertionError("kept by every recorded operation");
    }
    return output;
  }
}
