package dev.fovea.tensor.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.Shape;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class ElementsTest {
  private static MemorySegment convert(StoredType from, ByteOrder order, MemorySegment source, long count, DType to) {
    MemorySegment target = MemorySegment.ofArray(new long[(int) (count * to.bytes() + 7) / 8]);
    new Elements(new TensorInfo("x", from, Shape.of(count)), order, to).convert(source, count, target, 0);
    return target;
  }

  private static MemorySegment everyShort(ByteOrder order) {
    MemorySegment all = MemorySegment.ofArray(new short[1 << 16]);
    for (int i = 0; i < 1 << 16; i++) {
      all.set(ValueLayout.JAVA_SHORT.withOrder(order), 2L * i, (short) i);
    }
    return all;
  }

  @Test
  void everyHalfWidensExactly() {
    for (ByteOrder order : new ByteOrder[] {ByteOrder.LITTLE_ENDIAN, ByteOrder.BIG_ENDIAN}) {
      MemorySegment f16 = convert(StoredType.F16, order, everyShort(order), 1 << 16, DType.F32);
      MemorySegment bf16 = convert(StoredType.BF16, order, everyShort(order), 1 << 16, DType.F32);
      MemorySegment wide = convert(StoredType.F16, order, everyShort(order), 1 << 16, DType.F64);
      for (int i = 0; i < 1 << 16; i++) {
        double exact = exact(i, 5, 10);
        assertEquals(exact, f16.getAtIndex(ValueLayout.JAVA_FLOAT, i));
        assertEquals(exact, wide.getAtIndex(ValueLayout.JAVA_DOUBLE, i));
        assertEquals(exact(i, 8, 7), bf16.getAtIndex(ValueLayout.JAVA_FLOAT, i));
      }
    }
  }

  /** The value of 16 bits as IEEE 754 defines it. */
  private static double exact(int bits, int exponentBits, int fractionBits) {
    int bias = (1 << exponentBits - 1) - 1;
    int exponent = bits >> fractionBits & (1 << exponentBits) - 1;
    double fraction = (bits & (1 << fractionBits) - 1) / (double) (1 << fractionBits);
    double magnitude = exponent == 0
        ? fraction * Math.pow(2, 1 - bias)
        : exponent < (1 << exponentBits) - 1
            ? (1 + fraction) * Math.pow(2, exponent - bias)
            : fraction == 0 ? Double.POSITIVE_INFINITY : Double.NaN;
    return bits >= 1 << 15 ? -magnitude : magnitude;
  }

  @ParameterizedTest
  @EnumSource(
      value = StoredType.class,
      names = {"F16", "BF16"})
  void halvesAreTheNearestOnes(StoredType half) {
    DType target = DType.valueOf(half.name());
    int n = 20_000;
    float[] values = new float[n];
    SplittableRandom random = new SplittableRandom(4);
    for (int i = 0; i < n; i++) {
      // Every size of number, and those halfway between two neighbours.
      values[i] = Float.intBitsToFloat(random.nextInt());
      if (i % 4 == 0) {
        values[i] = Float.intBitsToFloat(Float.floatToRawIntBits(values[i]) & 0xffff8000);
      } else if (i % 4 == 1) {
        values[i] = Float.intBitsToFloat(Float.floatToRawIntBits((float) random.nextGaussian()) & 0xfffff000);
      }
    }
    MemorySegment halves = convert(StoredType.F32, ByteOrder.LITTLE_ENDIAN, MemorySegment.ofArray(values), n, target);
    int exponentBits = half == StoredType.F16 ? 5 : 8;
    for (int i = 0; i < n; i++) {
      int bits = halves.getAtIndex(ValueLayout.JAVA_SHORT, i) & 0xffff;
      double got = exact(bits, exponentBits, 15 - exponentBits);
      if (Float.isNaN(values[i])) {
        assertTrue(Double.isNaN(got));
      } else if (Double.isInfinite(got)) {
        double largest = exact((bits & 0x7fff) - 1, exponentBits, 15 - exponentBits);
        double above = largest + (largest - exact((bits & 0x7fff) - 2, exponentBits, 15 - exponentBits)) / 2;
        assertTrue(Math.abs(values[i]) >= above, "" + values[i]);
      } else {
        double error = Math.abs(got - values[i]);
        for (int neighbour : new int[] {bits - 1, bits + 1}) {
          double other = exact(neighbour & 0xffff, exponentBits, 15 - exponentBits);
          double otherError = Math.abs(other - values[i]);
          boolean better = otherError < error || (otherError == error && bits % 2 == 1);
          assertTrue(!better || Math.signum(other) != Math.signum(got), values[i] + " as " + got);
        }
      }
    }
  }

  @Test
  void bytesAreSwapped() {
    byte[] bytes = {1, 2, 3, 4, 5, 6, 7, 8};
    MemorySegment source = MemorySegment.ofArray(bytes);
    for (DType same : new DType[] {DType.F64, DType.I64}) {
      MemorySegment eight = convert(StoredType.of(same), ByteOrder.BIG_ENDIAN, source, 1, same);
      assertEquals(0x0102030405060708L, eight.get(ValueLayout.JAVA_LONG, 0));
    }
    MemorySegment four = convert(StoredType.I32, ByteOrder.BIG_ENDIAN, source, 2, DType.I32);
    assertEquals(0x05060708, four.get(ValueLayout.JAVA_INT, 4));
    MemorySegment two = convert(StoredType.U16, ByteOrder.BIG_ENDIAN, source, 4, DType.I64);
    assertEquals(0x0708, two.get(ValueLayout.JAVA_LONG, 24));
  }

  @Test
  void longRunsAreConvertedInPieces() {
    int n = 10_001;
    byte[] bytes = new byte[n];
    for (int i = 0; i < n; i++) {
      bytes[i] = (byte) i;
    }
    MemorySegment ints = convert(StoredType.I8, ByteOrder.LITTLE_ENDIAN, MemorySegment.ofArray(bytes), n, DType.I32);
    for (int i = 0; i < n; i++) {
      assertEquals((byte) i, ints.getAtIndex(ValueLayout.JAVA_INT, i));
    }
  }

  @Test
  void everyTypeSaysWhatItLoadsAs() {
    for (StoredType type : StoredType.values()) {
      for (DType target : DType.values()) {
        boolean floats = type.name().matches("F16|BF16|F32|F64") && target.isFloating();
        boolean fits = switch (type) {
          case BOOL, U8 -> !target.isFloating();
          case I8, I16, U16, I32 -> target == DType.I32 || target == DType.I64;
          case U32, I64 -> target == DType.I64;
          default -> false;
        };
        assertEquals(floats || fits, type.loadsAs(target), type + " as " + target);
      }
    }
  }
}
