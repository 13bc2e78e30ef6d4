package dev.fovea.kernels;

import org.jspecify.annotations.Nullable;

/**
 * Where a kernel leaves sums that it makes on the way, such as the gradient of a bias.
 *
 * @param span F32
 * @param add whether they are added to what is there; if not, they take its place, and the memory may hold anything
 */
public record Sums(Span span, boolean add) {
  /** Sums that take the place of what is there. */
  public static Sums into(Span span) {
    return new Sums(span, false);
  }

  /** Sums that are added to what is there. */
  public static Sums addedTo(Span span) {
    return new Sums(span, true);
  }

  /** Where they go, or null for none. */
  public static @Nullable Span spanOf(@Nullable Sums sums) {
    return sums == null ? null : sums.span;
  }

  /** The sums from {@code first} on. */
  public Sums from(long first) {
    return new Sums(span.from(first), add);
  }

  /** {@code count} sums from {@code first} on. */
  public Sums slice(long first, long count) {
    return new Sums(span.slice(first, count), add);
  }
}
