package dev.fovea.tensor;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.Span;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Locale;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** The checks of arguments and lifetimes, and the one place that words what is wrong. */
final class Check {
  private Check() {}

  /** Formats as every message is, whatever the user's language. */
  @SuppressWarnings("AnnotateFormatMethod") // its annotation is not worth a dependency
  static String text(String format, @Nullable Object... arguments) {
    return String.format(Locale.ROOT, format, arguments);
  }

  /** Something about an argument: its name, what it was, what it should have been. */
  static IllegalArgumentException bad(String name, Object got, Object expected) {
    return new IllegalArgumentException(text("%s: got %s, expected %s", name, got, expected));
  }

  /** {@code 0 <= value}. */
  static void notNegative(String name, long value) {
    if (value < 0) {
      throw bad(name, value, "0 or more");
    }
  }

  /** Exactly this shape. */
  static void shape(String name, Tensor tensor, Shape expected) {
    if (!tensor.shape().equals(expected)) {
      throw bad(name, tensor.shape(), expected);
    }
  }

  /** Exactly this many axes. */
  static void rank(String name, Tensor tensor, int expected) {
    if (tensor.shape().rank() != expected) {
      throw bad(name, tensor.shape(), "a shape of rank " + expected);
    }
  }

  /** One of these dtypes. */
  static void dtype(String name, Tensor tensor, DType... expected) {
    dtype(name, tensor.dtype(), expected);
  }

  /** One of these dtypes. */
  static void dtype(String name, DType got, DType... expected) {
    for (DType one : expected) {
      if (got == one) {
        return;
      }
    }
    throw bad(name, got, Arrays.stream(expected).map(DType::name).collect(Collectors.joining(" or ")));
  }

  /** F32, BF16 or F16. */
  static void floating(String name, DType got) {
    if (!got.isFloating()) {
      throw bad(name, got, "a floating-point dtype");
    }
  }

  /** As many values as elements. */
  static void values(String name, long got, Shape shape) {
    if (got != shape.count()) {
      throw bad(name, got + " values", shape.count() + " for shape " + shape);
    }
  }

  /** A segment of a span's size. */
  static void bytes(String name, MemorySegment segment, Span span) {
    if (segment.byteSize() != span.bytes()) {
      throw bad(name, segment.byteSize() + " bytes", span.bytes() + " as the tensor has");
    }
  }

  /** Both on one device. */
  static void sameDevice(String name, Tensor tensor, String otherName, Tensor other) {
    if (tensor.device() != other.device()) {
      throw bad(name, "a tensor on " + tensor.device().name(), other.device().name() + " as " + otherName);
    }
  }

  /** Something used or closed after it was closed, or otherwise at the wrong time. */
  static IllegalStateException state(String what, String verb, @Nullable Origin origin) {
    return new IllegalStateException(text("%s (%s %s)", what, verb, Origin.site(origin)));
  }
}
