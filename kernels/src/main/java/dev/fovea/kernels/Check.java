package dev.fovea.kernels;

import org.jspecify.annotations.Nullable;

/** The checks that every call passes before it reaches a device, and how they word what is wrong. */
final class Check {
  private Check() {}

  /** A matrix of {@code rows} x {@code columns} with leading dimension {@code ld}, F32 or BF16. */
  static void matrix(String name, Span span, long rows, long columns, long ld) {
    if (ld < columns) {
      throw new IllegalArgumentException(
          "%s: got leading dimension %d, expected at least %d".formatted(name, ld, columns));
    }
    real(name, span);
    holds(name, span, Math.addExact(Math.multiplyExact(rows - 1, ld), columns));
  }

  /** At least {@code count} elements, F32 or BF16. */
  static void vector(String name, Span span, long count) {
    real(name, span);
    holds(name, span, count);
  }

  /** As {@link #vector}, or absent. */
  static void optional(String name, @Nullable Span span, long count) {
    if (span != null) {
      vector(name, span, count);
    }
  }

  /** At least {@code count} elements of this dtype. */
  static void typed(String name, Span span, DType dtype, long count) {
    if (span.dtype() != dtype) {
      throw new IllegalArgumentException("%s: got %s, expected %s".formatted(name, span.dtype(), dtype));
    }
    holds(name, span, count);
  }

  /** As {@link #typed}, or absent. */
  static void optionalTyped(String name, @Nullable Span span, DType dtype, long count) {
    if (span != null) {
      typed(name, span, dtype, count);
    }
  }

  /** Room for {@code count} sums, or absent. */
  static void sums(String name, @Nullable Sums sums, long count) {
    if (sums != null) {
      typed(name, sums.span(), DType.F32, count);
    }
  }

  /** F32 or BF16. */
  static void real(String name, Span span) {
    if (span.dtype() != DType.F32 && span.dtype() != DType.BF16) {
      throw new IllegalArgumentException("%s: got %s, expected F32 or BF16".formatted(name, span.dtype()));
    }
  }

  /** At least {@code count} elements. */
  static void holds(String name, Span span, long count) {
    if (span.count() < count) {
      throw new IllegalArgumentException(
          "%s: got %d elements, expected at least %d".formatted(name, span.count(), count));
    }
  }

  /** The same number of elements. */
  static void sameCount(String name, Span span, String otherName, Span other) {
    if (span.count() != other.count()) {
      throw new IllegalArgumentException(
          "%s: got %d elements, expected %d as in %s".formatted(name, span.count(), other.count(), otherName));
    }
  }

  /** No byte in common. */
  static void apart(String name, @Nullable Span span, String otherName, @Nullable Span other) {
    if (span != null
        && other != null
        && span.address() < other.address() + other.bytes()
        && other.address() < span.address() + span.bytes()) {
      throw new IllegalArgumentException("%s: overlaps %s, expected its own memory".formatted(name, otherName));
    }
  }

  /** {@code low <= value <= high}. */
  static void range(String name, double value, double low, double high) {
    if (!(value >= low && value <= high)) {
      throw new IllegalArgumentException("%s: got %s, expected %s to %s".formatted(name, value, low, high));
    }
  }

  static void range(String name, long value, long low, long high) {
    if (value < low || value > high) {
      throw new IllegalArgumentException("%s: got %d, expected %d to %d".formatted(name, value, low, high));
    }
  }

  /** A size that must be positive. */
  static void positive(String name, long value) {
    if (value < 1) {
      throw new IllegalArgumentException("%s: got %d, expected at least 1".formatted(name, value));
    }
  }
}
