package dev.fovea.kernels.contract;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_DOUBLE;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.Span;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;

/** {@link CaseMemory} in native memory of this machine, with guard bytes around every span. */
public final class HostCaseMemory implements CaseMemory, AutoCloseable {
  /** Bytes before and behind every span that nothing may touch. */
  static final int GUARD = 256;

  private static final byte GUARD_BYTE = (byte) 0xA5;

  private final Arena arena = Arena.ofShared();
  private final SplittableRandom random;
  private final Map<String, Output> outputs = new LinkedHashMap<>();
  private final Map<Span, MemorySegment> guarded = new LinkedHashMap<>();

  record Output(Span span, Tolerance tolerance) {}

  public HostCaseMemory(long seed) {
    random = new SplittableRandom(seed);
  }

  @Override
  public Span normal(DType dtype, long count, double deviation) {
    SplittableRandom stream = random.split();
    Span span = allocate(dtype, count);
    for (long i = 0; i < count; i++) {
      set(span, i, stream.nextGaussian() * deviation);
    }
    return span;
  }

  @Override
  public Span values(DType dtype, double... values) {
    Span span = allocate(dtype, values.length);
    for (int i = 0; i < values.length; i++) {
      set(span, i, values[i]);
    }
    return span;
  }

  @Override
  public Span integers(DType dtype, long count, long low, long high) {
    SplittableRandom stream = random.split();
    Span span = allocate(dtype, count);
    for (long i = 0; i < count; i++) {
      set(span, i, stream.nextLong(low, high));
    }
    return span;
  }

  @Override
  public Span output(String name, DType dtype, long count, Tolerance tolerance) {
    Span span = allocate(dtype, count);
    for (long i = 0; i < count; i++) {
      set(span, i, dtype.isFloating() ? Double.NaN : 0x55);
    }
    return inout(name, span, tolerance);
  }

  @Override
  public Span inout(String name, Span span, Tolerance tolerance) {
    outputs.put(name, new Output(span, tolerance));
    return span;
  }

  @Override
  public Span workspace(DType dtype, long count) {
    return allocate(dtype, count);
  }

  Map<String, Output> outputs() {
    return outputs;
  }

  /** Names a span whose surroundings were written to, or null. */
  String damage() {
    for (var entry : guarded.entrySet()) {
      MemorySegment whole = entry.getValue();
      long end = GUARD + entry.getKey().bytes();
      for (long i = 0; i < whole.byteSize(); i++) {
        if ((i < GUARD || i >= end) && whole.get(JAVA_BYTE, i) != GUARD_BYTE) {
          return "wrote %d bytes %s %s"
              .formatted(i < GUARD ? GUARD - i : i - end + 1, i < GUARD ? "before" : "past", nameOf(entry.getKey()));
        }
      }
    }
    return null;
  }

  private String nameOf(Span span) {
    return outputs.entrySet().stream()
        .filter(e -> e.getValue().span().equals(span))
        .map(Map.Entry::getKey)
        .findFirst()
        .orElse("an input of " + span.count() + " " + span.dtype());
  }

  private Span allocate(DType dtype, long count) {
    long bytes = count * dtype.bytes();
    MemorySegment whole = arena.allocate(bytes + 2 * GUARD, 64);
    whole.fill(GUARD_BYTE);
    Span span = new Span(whole.address() + GUARD, bytes, dtype);
    guarded.put(span, whole);
    return span;
  }

  /** An element as a double. */
  public static double get(Span span, long i) {
    MemorySegment s = MemorySegment.ofAddress(span.address()).reinterpret(span.bytes());
    return switch (span.dtype()) {
      case F32 -> s.getAtIndex(JAVA_FLOAT, i);
      case BF16 -> Float.intBitsToFloat(s.getAtIndex(JAVA_SHORT, i) << 16);
      case F16 -> Float.float16ToFloat(s.getAtIndex(JAVA_SHORT, i));
      case F64 -> s.getAtIndex(JAVA_DOUBLE, i);
      case I32 -> s.getAtIndex(JAVA_INT, i);
      case I64 -> s.getAtIndex(JAVA_LONG, i);
      case U8 -> s.get(JAVA_BYTE, i) & 0xff;
    };
  }

  /** Stores an element, rounded to the span's dtype: to nearest, ties to even. */
  public static void set(Span span, long i, double value) {
    MemorySegment s = MemorySegment.ofAddress(span.address()).reinterpret(span.bytes());
    switch (span.dtype()) {
      case F32 -> s.setAtIndex(JAVA_FLOAT, i, (float) value);
      case BF16 -> s.setAtIndex(JAVA_SHORT, i, bf16(once(value, -126, 7)));
      case F16 -> s.setAtIndex(JAVA_SHORT, i, Float.floatToFloat16((float) once(value, -14, 10)));
      case F64 -> s.setAtIndex(JAVA_DOUBLE, i, value);
      case I32 -> s.setAtIndex(JAVA_INT, i, (int) value);
      case I64 -> s.setAtIndex(JAVA_LONG, i, (long) value);
      case U8 -> s.set(JAVA_BYTE, i, (byte) (long) value);
    }
  }

  /** Rounded to so many bits of fraction, so that rounding to F32 on the way changes nothing. */
  private static double once(double value, int smallestExponent, int bits) {
    double unit = Math.scalb(1.0, Math.max(Math.getExponent(value), smallestExponent) - bits);
    return Math.rint(value / unit) * unit;
  }

  private static short bf16(double value) {
    int bits = Float.floatToRawIntBits((float) value);
    if (Double.isNaN(value)) {
      return (short) (bits >>> 16 | 0x40);
    }
    int low = bits & 0xffff;
    int high = bits >>> 16;
    boolean up = low > 0x8000 || low == 0x8000 && (high & 1) == 1;
    return (short) (up ? high + 1 : high);
  }

  @Override
  public void close() {
    arena.close();
  }
}
