package dev.fovea.tensor.io;

import dev.fovea.kernels.DType;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Elements as a file stores them, turned into elements as tensors hold them. Rounding is to nearest, ties to even; a
 * value too large for its new type becomes infinite; F64 goes to 16 bits through F32.
 */
final class Elements {
  private static final int CHUNK = 4096;

  private final StoredType from;
  private final ByteOrder order;
  private final DType to;
  private final float[] floats;
  private final long[] longs;
  private final short[] shorts;

  /** A converter of a tensor's elements stored in {@code order}; it keeps buffers and serves one thread. */
  Elements(TensorInfo info, ByteOrder order, DType to) {
    requireLoadable(info, to);
    this.from = info.type();
    this.order = order;
    this.to = to;
    boolean copies = isCopied();
    floats = new float[!copies && to.isFloating() ? CHUNK : 0];
    longs = new long[!copies && (!to.isFloating() || from == StoredType.F64) ? CHUNK : 0];
    shorts = new short[!copies && to.isFloating() ? CHUNK : 0];
  }

  /** Checks that a tensor loads as {@code dtype}. */
  static void requireLoadable(TensorInfo info, DType dtype) {
    if (!info.type().loadsAs(dtype)) {
      throw new IllegalArgumentException("tensor \"" + MalformedFileException.printable(info.name()) + "\" stored as "
          + info.type() + ": got target " + dtype + ", expected "
          + info.type().dtype().map(d -> "one such as " + d).orElse("none, as it does not load"));
    }
  }

  /** Checks that {@code target} has exactly the bytes of a tensor loaded as {@code dtype}. */
  static void requireSize(TensorInfo info, DType dtype, MemorySegment target) {
    long expected = Math.multiplyExact(info.shape().count(), dtype.bytes());
    if (target.byteSize() != expected) {
      throw new IllegalArgumentException("target for tensor \"" + MalformedFileException.printable(info.name())
          + "\": got " + target.byteSize() + " bytes, expected " + expected + " for " + dtype + info.shape());
    }
  }

  /** Converts {@code count} elements from the start of {@code source} to byte {@code offset} of {@code target}. */
  void convert(MemorySegment source, long count, MemorySegment target, long offset) {
    if (isCopied()) {
      MemorySegment.copy(source, 0, target, offset, count * to.bytes());
      return;
    }
    long stored = from.bits() / 8;
    for (long done = 0; done < count; done += CHUNK) {
      int n = (int) Math.min(CHUNK, count - done);
      if (from == StoredType.F64 && to == DType.F64) {
        // Only the order of the bytes differs.
        MemorySegment.copy(source, ValueLayout.JAVA_LONG_UNALIGNED.withOrder(order), done * stored, longs, 0, n);
        MemorySegment.copy(longs, 0, target, ValueLayout.JAVA_LONG_UNALIGNED, offset + done * to.bytes(), n);
      } else if (to.isFloating()) {
        readFloats(source, done * stored, n);
        writeFloats(target, offset + done * to.bytes(), n);
      } else {
        readLongs(source, done * stored, n);
        writeLongs(target, offset + done * to.bytes(), n);
      }
    }
  }

  private boolean isCopied() {
    return from.isStoredAs(to) && (order == ByteOrder.nativeOrder() || to.bytes() == 1);
  }

  private void readFloats(MemorySegment source, long at, int n) {
    switch (from) {
      case F32 -> MemorySegment.copy(source, ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(order), at, floats, 0, n);
      case F64 -> {
        ValueLayout.OfDouble layout = ValueLayout.JAVA_DOUBLE_UNALIGNED.withOrder(order);
        for (int i = 0; i < n; i++) {
          floats[i] = (float) source.get(layout, at + 8L * i);
        }
      }
      case F16 -> {
        readShorts(source, at, n);
        for (int i = 0; i < n; i++) {
          floats[i] = Float.float16ToFloat(shorts[i]);
        }
      }
      case BF16 -> {
        readShorts(source, at, n);
        for (int i = 0; i < n; i++) {
          floats[i] = Float.intBitsToFloat(shorts[i] << 16);
        }
      }
      default -> throw new AssertionError(from);
    }
  }

  private void writeFloats(MemorySegment target, long at, int n) {
    switch (to) {
      case F32 -> MemorySegment.copy(floats, 0, target, ValueLayout.JAVA_FLOAT_UNALIGNED, at, n);
      case F64 -> {
        for (int i = 0; i < n; i++) {
          target.set(ValueLayout.JAVA_DOUBLE_UNALIGNED, at + 8L * i, floats[i]);
        }
      }
      case F16 -> {
        for (int i = 0; i < n; i++) {
          shorts[i] = Float.floatToFloat16(floats[i]);
        }
        MemorySegment.copy(shorts, 0, target, ValueLayout.JAVA_SHORT_UNALIGNED, at, n);
      }
      case BF16 -> {
        for (int i = 0; i < n; i++) {
          shorts[i] = toBFloat16(floats[i]);
        }
        MemorySegment.copy(shorts, 0, target, ValueLayout.JAVA_SHORT_UNALIGNED, at, n);
      }
      default -> throw new AssertionError(to);
    }
  }

  private void readShorts(MemorySegment source, long at, int n) {
    MemorySegment.copy(source, ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(order), at, shorts, 0, n);
  }

  /** Round to nearest, ties to even; a NaN stays one and keeps the upper bits of its payload. */
  static short toBFloat16(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      return (short) (bits >>> 16 | 0x40);
    }
    return (short) (bits + 0x7fff + (bits >>> 16 & 1) >>> 16);
  }

  private void readLongs(MemorySegment source, long at, int n) {
    ValueLayout.OfShort two = ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(order);
    ValueLayout.OfInt four = ValueLayout.JAVA_INT_UNALIGNED.withOrder(order);
    ValueLayout.OfLong eight = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(order);
    for (int i = 0; i < n; i++) {
      longs[i] = switch (from) {
        case BOOL -> source.get(ValueLayout.JAVA_BYTE, at + i) == 0 ? 0 : 1;
        case U8 -> source.get(ValueLayout.JAVA_BYTE, at + i) & 0xff;
        case I8 -> source.get(ValueLayout.JAVA_BYTE, at + i);
        case I16 -> source.get(two, at + 2L * i);
        case U16 -> source.get(two, at + 2L * i) & 0xffff;
        case I32 -> source.get(four, at + 4L * i);
        case U32 -> source.get(four, at + 4L * i) & 0xffff_ffffL;
        case I64 -> source.get(eight, at + 8L * i);
        default -> throw new AssertionError(from);
      };
    }
  }

  private void writeLongs(MemorySegment target, long at, int n) {
    for (int i = 0; i < n; i++) {
      switch (to) {
        case U8 -> target.set(ValueLayout.JAVA_BYTE, at + i, (byte) longs[i]);
        case I32 -> target.set(ValueLayout.JAVA_INT_UNALIGNED, at + 4L * i, (int) longs[i]);
        case I64 -> target.set(ValueLayout.JAVA_LONG_UNALIGNED, at + 8L * i, longs[i]);
        default -> throw new AssertionError(to);
      }
    }
  }
}
