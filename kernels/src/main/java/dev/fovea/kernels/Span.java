package dev.fovea.kernels;

import java.lang.foreign.MemorySegment;

/**
 * A stretch of one device's memory that a kernel reads or writes. It borrows: whoever allocated the memory keeps it
 * alive until the kernel has run.
 *
 * @param address first byte: a native address on CPU, a device pointer on CUDA; a multiple of the element size
 * @param bytes length; a multiple of the element size
 * @param dtype how the elements are stored
 */
public record Span(long address, long bytes, DType dtype) {
  public Span {
    if (bytes < 0 || bytes % dtype.bytes() != 0) {
      throw new IllegalArgumentException(
          "bytes: got " + bytes + ", expected a multiple of " + dtype.bytes() + " for " + dtype);
    }
    if (address % dtype.bytes() != 0) {
      throw new IllegalArgumentException(
          "address: got 0x%x, expected a multiple of %d for %s".formatted(address, dtype.bytes(), dtype));
    }
  }

  /**
   * The whole of a native segment.
   *
   * @throws IllegalArgumentException if the segment lies on the Java heap
   */
  public static Span of(MemorySegment segment, DType dtype) {
    if (!segment.isNative()) {
      throw new IllegalArgumentException("segment: got heap memory, expected native memory");
    }
    return new Span(segment.address(), segment.byteSize(), dtype);
  }

  /** Number of elements. */
  public long count() {
    return bytes / dtype.bytes();
  }

  /** The elements from {@code first} on. */
  public Span from(long first) {
    return slice(first, count() - first);
  }

  /** {@code count} elements from {@code first} on. */
  public Span slice(long first, long count) {
    if (first < 0 || count < 0 || first > count() - count) {
      throw new IndexOutOfBoundsException(
          "slice: got [%d, %d), expected a part of [0, %d)".formatted(first, first + count, count()));
    }
    return new Span(address + first * dtype.bytes(), count * dtype.bytes(), dtype);
  }
}
