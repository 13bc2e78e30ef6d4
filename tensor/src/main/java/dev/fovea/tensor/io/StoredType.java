package dev.fovea.tensor.io;

import dev.fovea.kernels.DType;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * How a file stores an element. The names are those of safetensors.
 *
 * <p>F32, BF16, F16, I32, I64 and U8 load as they are. Wider or narrower relatives load as the nearest {@link DType}
 * that holds every value (BOOL as U8 of zeros and ones; I8, I16 and U16 as I32; U32 as I64), F64 as F32, which is what
 * devices compute with, unless F64 is asked for. The others (U64, complex numbers, 8-bit and smaller floats) are listed
 * with their shapes, and their bytes can be had from a safetensors file, but they do not load as tensors.
 */
public enum StoredType {
  /** One byte, zero or one. */
  BOOL(8, DType.U8, "b1"),
  /** Two 4-bit floats in a byte. */
  F4(4, null, null),
  /** 6-bit float, 2 exponent bits. */
  F6_E2M3(6, null, null),
  /** 6-bit float, 3 exponent bits. */
  F6_E3M2(6, null, null),
  /** Unsigned byte. */
  U8(8, DType.U8, "u1"),
  /** Signed byte. */
  I8(8, DType.I32, "i1"),
  /** 8-bit float, 5 exponent bits. */
  F8_E5M2(8, null, null),
  /** 8-bit float, 4 exponent bits. */
  F8_E4M3(8, null, null),
  /** 8-bit float, exponent only. */
  F8_E8M0(8, null, null),
  /** 8-bit float, 4 exponent bits, no negative zero. */
  F8_E4M3FNUZ(8, null, null),
  /** 8-bit float, 5 exponent bits, no negative zero. */
  F8_E5M2FNUZ(8, null, null),
  /** Signed 16-bit integer. */
  I16(16, DType.I32, "i2"),
  /** Unsigned 16-bit integer. */
  U16(16, DType.I32, "u2"),
  /** IEEE 754 binary16. */
  F16(16, DType.F16, "f2"),
  /** Upper half of a binary32; in npy files a two-byte void, as numpy knows no such type. */
  BF16(16, DType.BF16, "V2"),
  /** Signed 32-bit integer. */
  I32(32, DType.I32, "i4"),
  /** Unsigned 32-bit integer. */
  U32(32, DType.I64, "u4"),
  /** IEEE 754 binary32. */
  F32(32, DType.F32, "f4"),
  /** Pair of binary32. */
  C64(64, null, null),
  /** IEEE 754 binary64. */
  F64(64, DType.F32, "f8"),
  /** Signed 64-bit integer. */
  I64(64, DType.I64, "i8"),
  /** Unsigned 64-bit integer. */
  U64(64, null, "u8");

  private final int bits;
  private final @Nullable DType dtype;
  private final @Nullable String numpy;

  StoredType(int bits, @Nullable DType dtype, @Nullable String numpy) {
    this.bits = bits;
    this.dtype = dtype;
    this.numpy = numpy;
  }

  /** Bits of one element. */
  public int bits() {
    return bits;
  }

  /** What a tensor of this type loads as unless told otherwise; empty when it does not load. */
  public Optional<DType> dtype() {
    return Optional.ofNullable(dtype);
  }

  /** Whether a tensor of this type can be loaded as {@code target}: floats as any float, integers as wider ones. */
  public boolean loadsAs(DType target) {
    if (dtype == null) {
      return false;
    }
    if (dtype.isFloating() || target.isFloating()) {
      return dtype.isFloating() && target.isFloating();
    }
    return target.bytes() >= dtype.bytes();
  }

  /** Whether elements are stored exactly as {@code target} stores them (on a little-endian machine). */
  boolean isStoredAs(DType target) {
    return name().equals(target.name());
  }

  /** The stored type that holds a tensor's elements unchanged. */
  static StoredType of(DType dtype) {
    return valueOf(dtype.name());
  }

  /** The safetensors type called {@code name}, or null. */
  static @Nullable StoredType named(String name) {
    for (StoredType type : values()) {
      if (type.name().equals(name)) {
        return type;
      }
    }
    return null;
  }

  /** The type with numpy's kind and size such as {@code f4}, or null. */
  static @Nullable StoredType numpy(String kindAndSize) {
    for (StoredType type : values()) {
      if (kindAndSize.equals(type.numpy)) {
        return type;
      }
    }
    return null;
  }

  /** Numpy's description of this type stored little-endian, such as {@code <f4}. */
  String numpyDescription() {
    if (numpy == null) {
      throw new IllegalStateException(this + " has no numpy type");
    }
    return (bits == 8 || this == BF16 ? "|" : "<") + numpy;
  }
}
