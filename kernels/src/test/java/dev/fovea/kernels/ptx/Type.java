package dev.fovea.kernels.ptx;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A PTX type: its width, and how its bits are read. */
enum Type {
  PRED(0),
  B8(1),
  B16(2),
  B32(4),
  B64(8),
  B128(16),
  U8(1),
  U16(2),
  U32(4),
  U64(8),
  S8(1),
  S16(2),
  S32(4),
  S64(8),
  F16(2),
  F16X2(4),
  BF16(2),
  BF16X2(4),
  TF32(4),
  F32(4),
  F64(8);

  private static final Map<String, Type> NAMES = new HashMap<>();

  static {
    for (Type type : values()) {
      NAMES.put(type.name().toLowerCase(Locale.ROOT), type);
    }
  }

  final int bytes;

  Type(int bytes) {
    this.bytes = bytes;
  }

  /** The type of this name (without its dot), or null if it names none. */
  static @Nullable Type named(String name) {
    return NAMES.get(name);
  }

  boolean signed() {
    return this == S8 || this == S16 || this == S32 || this == S64;
  }

  boolean floating() {
    return ordinal() >= F16.ordinal();
  }

  /** The bits of a register read as an integer of this type. */
  long integer(long bits) {
    return switch (this) {
      case S8 -> (byte) bits;
      case S16 -> (short) bits;
      case S32 -> (int) bits;
      case B8, U8 -> bits & 0xff;
      case B16, U16, F16, BF16 -> bits & 0xffff;
      case B32, U32, F32, F16X2, BF16X2, TF32 -> bits & 0xffff_ffffL;
      default -> bits;
    };
  }
}
