package dev.fovea.tensor;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.Span;
import java.lang.foreign.MemorySegment;
import java.util.StringJoiner;

/** Elements of device memory as Java values, and back. */
final class Elements {
  private static final int FIRST = 8;

  /** Largest array that every JVM can make. */
  private static final int LONGEST = Integer.MAX_VALUE - 8;

  private Elements() {}

  /** Bytes of a tensor. */
  static long bytes(Shape shape, DType dtype) {
    if (shape.count() > Long.MAX_VALUE / dtype.bytes()) {
      throw Check.bad("shape", shape, "at most 2^63 - 1 bytes of " + dtype);
    }
    return shape.count() * dtype.bytes();
  }

  /** Whether a segment can be the memory of a tensor. */
  static void checkWrap(MemorySegment segment, DType dtype, Shape shape) {
    if (!segment.isNative()) {
      throw Check.bad("segment", "memory on the Java heap", "native memory; Tensor.of copies arrays");
    }
    if (segment.byteSize() != bytes(shape, dtype)) {
      throw Check.bad(
          "segment", segment.byteSize() + " bytes", bytes(shape, dtype) + " for " + dtype + " of shape " + shape);
    }
    if (segment.address() % dtype.bytes() != 0) {
      throw Check.bad(
          "segment",
          "address 0x" + Long.toHexString(segment.address()),
          "a multiple of " + dtype.bytes() + " for " + dtype);
    }
  }

  static float[] floats(RawMemory raw, Span span) {
    int count = length(span);
    float[] values = new float[count];
    switch (span.dtype()) {
      case F32 -> raw.read(span.address(), MemorySegment.ofArray(values));
      case BF16 -> {
        short[] bits = shorts(raw, span, count);
        for (int i = 0; i < count; i++) {
          values[i] = Float.intBitsToFloat(bits[i] << 16);
        }
      }
      case F16 -> {
        short[] bits = shorts(raw, span, count);
        for (int i = 0; i < count; i++) {
          values[i] = Float.float16ToFloat(bits[i]);
        }
      }
      case F64 -> {
        double[] wide = new double[count];
        raw.read(span.address(), MemorySegment.ofArray(wide));
        for (int i = 0; i < count; i++) {
          values[i] = (float) wide[i];
        }
      }
      case I32, I64, U8 -> {
        long[] integers = longs(raw, span);
        for (int i = 0; i < count; i++) {
          values[i] = integers[i];
        }
      }
    }
    return values;
  }

  static long[] longs(RawMemory raw, Span span) {
    int count = length(span);
    long[] values = new long[count];
    switch (span.dtype()) {
      case I64 -> raw.read(span.address(), MemorySegment.ofArray(values));
      case I32 -> {
        int[] narrow = new int[count];
        raw.read(span.address(), MemorySegment.ofArray(narrow));
        for (int i = 0; i < count; i++) {
          values[i] = narrow[i];
        }
      }
      case U8 -> {
        byte[] narrow = new byte[count];
        raw.read(span.address(), MemorySegment.ofArray(narrow));
        for (int i = 0; i < count; i++) {
          values[i] = narrow[i] & 0xff;
        }
      }
      case F32, BF16, F16, F64 -> throw new AssertionError(span.dtype());
    }
    return values;
  }

  /** Stores floats in a floating dtype. */
  static void write(float[] values, RawMemory raw, Span span) {
    MemorySegment stored = switch (span.dtype()) {
      case F32 -> MemorySegment.ofArray(values);
      case BF16, F16 -> {
        boolean half = span.dtype() == DType.F16;
        short[] bits = new short[values.length];
        for (int i = 0; i < bits.length; i++) {
          bits[i] = half ? Float.floatToFloat16(values[i]) : bf16(values[i]);
        }
        yield MemorySegment.ofArray(bits);
      }
      case F64 -> {
        double[] wide = new double[values.length];
        for (int i = 0; i < wide.length; i++) {
          wide[i] = values[i];
        }
        yield MemorySegment.ofArray(wide);
      }
      case I32, I64, U8 -> throw new AssertionError(span.dtype());
    };
    raw.write(stored, span.address());
  }

  /** The first values, in words. */
  static String first(RawMemory raw, Span span) {
    Span head = span.slice(0, Math.min(FIRST, span.count()));
    var text = new StringJoiner(", ");
    if (span.dtype().isFloating()) {
      for (float value : floats(raw, head)) {
        text.add(Float.toString(value));
      }
    } else {
      for (long value : longs(raw, head)) {
        text.add(Long.toString(value));
      }
    }
    return text + (span.count() > FIRST ? ", ..." : "");
  }

  /** Whether kernels convert between them. */
  static void checkCast(DType from, DType to) {
    if (!to.isFloating() || !from.isFloating() && to != DType.F32) {
      throw Check.bad("dtype", from + " to " + to, "floating to floating, or integer to F32");
    }
  }

  static void cast(Device device, Span from, Span to) {
    checkCast(from.dtype(), to.dtype());
    if (from.count() > 0) {
      device.kernels().elementwise().cast(from, to);
    }
  }

  private static short[] shorts(RawMemory raw, Span span, int count) {
    short[] bits = new short[count];
    raw.read(span.address(), MemorySegment.ofArray(bits));
    return bits;
  }

  private static int length(Span span) {
    if (span.count() > LONGEST) {
      throw Check.bad(
          "array", span.count() + " elements", "at most " + LONGEST + "; narrow the tensor or use segment()");
    }
    return (int) span.count();
  }

  /** Upper half, to nearest even; NaN stays NaN. */
  private static short bf16(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      return (short) (bits >>> 16 | 0x40);
    }
    return (short) (bits + 0x7fff + (bits >>> 16 & 1) >>> 16);
  }
}
