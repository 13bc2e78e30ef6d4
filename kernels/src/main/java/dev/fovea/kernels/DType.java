package dev.fovea.kernels;

/** How an element is stored. Arithmetic is always in F32 (see the package description). */
public enum DType {
  /** IEEE 754 binary32. */
  F32(4, true),
  /** The upper half of a binary32: 8 exponent and 7 fraction bits. */
  BF16(2, true),
  /** IEEE 754 binary16; a storage format only, no kernel but the casts computes with it. */
  F16(2, true),
  /** IEEE 754 binary64: files and checks only; no device computes with it. */
  F64(8, true),
  /** Signed 32-bit integer. */
  I32(4, false),
  /** Signed 64-bit integer. */
  I64(8, false),
  /** Unsigned 8-bit integer. */
  U8(1, false);

  private final int bytes;
  private final boolean floating;

  DType(int bytes, boolean floating) {
    this.bytes = bytes;
    this.floating = floating;
  }

  /** Bytes of one element. */
  public int bytes() {
    return bytes;
  }

  /** The dtype that sums of such elements are kept in: F32, and F64 for itself. */
  public DType accumulator() {
    return this == F64 ? F64 : F32;
  }

  /** Whether elements are floating-point numbers. */
  public boolean isFloating() {
    return floating;
  }
}
