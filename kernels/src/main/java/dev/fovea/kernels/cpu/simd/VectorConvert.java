package dev.fovea.kernels.cpu.simd;

import static dev.fovea.kernels.cpu.simd.Memory.ALL;
import static dev.fovea.kernels.cpu.simd.Memory.known;
import static dev.fovea.kernels.cpu.simd.Memory.offset;
import static java.nio.ByteOrder.nativeOrder;

import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link Convert} with the Vector API where C2 does not vectorise the plain loop by itself: BF16. A last step that is
 * not a whole vector overlaps the one before, as it may since source and destination are apart. Every loop is written
 * out: see {@link VectorSimd} for why.
 */
final class VectorConvert extends ScalarConvert {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Integer> I = IntVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Short> S =
      VectorSpecies.of(short.class, VectorShape.forBitSize(F.vectorBitSize() / 2));
  private static final VectorSpecies<Byte> B =
      VectorSpecies.of(byte.class, VectorShape.forBitSize(Math.max(64, F.vectorBitSize() / 4)));
  private static final int LANES = F.length();
  private static final ByteOrder ORDER = nativeOrder();

  /** Floats up to which a loop is faster than the JVM's copying, which is a call: a row of a head of attention. */
  private static final int SHORT = 256;

  @Override
  public void loadF32(long address, float[] to, int at, int count) {
    if (count < LANES || count > SHORT) {
      super.loadF32(address, to, at, count);
      return;
    }
    int last = count - LANES;
    for (int step = 0; step < count; step += LANES) {
      int i = Math.min(step, last);
      FloatVector.fromMemorySegment(F, ALL, address + 4L * i, ORDER).intoArray(to, at + i);
    }
  }

  @Override
  public void storeF32(float[] from, int at, long address, int count) {
    if (count < LANES || count > SHORT) {
      super.storeF32(from, at, address, count);
      return;
    }
    int last = count - LANES;
    for (int step = 0; step < count; step += LANES) {
      int i = Math.min(step, last);
      FloatVector.fromArray(F, from, at + i).intoMemorySegment(ALL, address + 4L * i, ORDER);
    }
  }

  @Override
  public void loadBf16(long address, float[] to, int at, int count) {
    if (count < LANES) {
      super.loadBf16(address, to, at, count);
      return;
    }
    int last = count - LANES;
    for (int step = 0; step < count; step += LANES) { // one body: a second one may be compiled with a boxed vector
      int i = Math.min(step, last);
      ShortVector upper = ShortVector.fromMemorySegment(S, ALL, address + 2L * i, ORDER);
      ((IntVector) upper.convertShape(VectorOperators.S2I, I, 0))
          .lanewise(VectorOperators.LSHL, 16)
          .reinterpretAsFloats()
          .intoArray(to, at + i);
    }
  }

  @Override
  public void storeBf16(float[] from, int at, long address, int count) {
    if (count < LANES) {
      super.storeBf16(from, at, address, count);
      return;
    }
    int last = count - LANES;
    for (int step = 0; step < count; step += LANES) {
      int i = Math.min(step, last);
      FloatVector value = FloatVector.fromArray(F, from, at + i);
      IntVector bits = value.reinterpretAsInts();
      IntVector upper = bits.lanewise(VectorOperators.LSHR, 16);
      IntVector nearest = bits.add(0x7fff).add(upper.and(1)).lanewise(VectorOperators.LSHR, 16);
      VectorMask<Integer> nan = value.compare(VectorOperators.NE, value).cast(I);
      ((ShortVector) nearest.blend(upper.or(0x40), nan).convertShape(VectorOperators.I2S, S, 0))
          .intoMemorySegment(ALL, address + 2L * i, ORDER);
    }
  }

  @Override
  public void multiplyBf16(float[] by, int at, long from, long to, int count) {
    long source = known(from);
    long target = known(to);
    int whole = count - count % LANES;
    for (int i = 0; i < whole; i += LANES) {
      ShortVector upper = ShortVector.fromMemorySegment(S, ALL, source + offset(i, 2), ORDER);
      FloatVector value = FloatVector.fromArray(F, by, at + i)
          .mul(((IntVector) upper.convertShape(VectorOperators.S2I, I, 0))
              .lanewise(VectorOperators.LSHL, 16)
              .reinterpretAsFloats());
      IntVector bits = value.reinterpretAsInts();
      VectorMask<Integer> number = value.compare(VectorOperators.EQ, value).cast(I);
      IntVector nearest =
          bits.add(bits.lanewise(VectorOperators.LSHR, 16).and(1).add(0x7fff), number);
      ((ShortVector) nearest.lanewise(VectorOperators.LSHR, 16).convertShape(VectorOperators.I2S, S, 0))
          .intoMemorySegment(ALL, target + offset(i, 2), ORDER);
    }
    super.multiplyBf16(by, at + whole, from + 2L * whole, to + 2L * whole, count - whole);
  }

  @Override
  public void loadU8(long address, float[] to, int at, int count) {
    if (count < LANES || B.length() > LANES) { // no vectors of 4 bytes
      super.loadU8(address, to, at, count);
      return;
    }
    int last = count - LANES;
    for (int step = 0; step < count; step += LANES) {
      int i = Math.min(step, last);
      IntVector bytes = (IntVector)
          ByteVector.fromMemorySegment(B, ALL, address + i, ORDER).convertShape(VectorOperators.ZERO_EXTEND_B2I, I, 0);
      ((FloatVector) bytes.convert(VectorOperators.I2F, 0)).intoArray(to, at + i);
    }
  }

  @Override
  public void widenBf16(long from, long to, int count) {
    if (count < LANES) {
      super.widenBf16(from, to, count);
      return;
    }
    int last = count - LANES;
    for (int step = 0; step < count; step += LANES) {
      int i = Math.min(step, last);
      ShortVector upper = ShortVector.fromMemorySegment(S, ALL, from + 2L * i, ORDER);
      ((IntVector) upper.convertShape(VectorOperators.S2I, I, 0))
          .lanewise(VectorOperators.LSHL, 16)
          .intoMemorySegment(ALL, to + 4L * i, ORDER);
    }
  }

  @Override
  public void narrowBf16(long from, long to, int count) {
    if (count < LANES) {
      super.narrowBf16(from, to, count);
      return;
    }
    int last = count - LANES;
    for (int step = 0; step < count; step += LANES) {
      int i = Math.min(step, last);
      FloatVector value = FloatVector.fromMemorySegment(F, ALL, from + 4L * i, ORDER);
      IntVector bits = value.reinterpretAsInts();
      IntVector upper = bits.lanewise(VectorOperators.LSHR, 16);
      IntVector nearest = bits.add(0x7fff).add(upper.and(1)).lanewise(VectorOperators.LSHR, 16);
      VectorMask<Integer> nan = value.compare(VectorOperators.NE, value).cast(I);
      ((ShortVector) nearest.blend(upper.or(0x40), nan).convertShape(VectorOperators.I2S, S, 0))
          .intoMemorySegment(ALL, to + 2L * i, ORDER);
    }
  }

  @Override
  public void narrowBf16Stochastic(long from, int[] words, long to, int count) {
    if (count < LANES) {
      super.narrowBf16Stochastic(from, words, to, count);
      return;
    }
    int last = count - LANES;
    for (int step = 0; step < count; step += LANES) {
      int i = Math.min(step, last);
      IntVector bits = IntVector.fromMemorySegment(I, ALL, from + 4L * i, ORDER);
      IntVector magnitude = bits.and(0x7fffffff);
      IntVector noise = IntVector.fromArray(I, words, i).and(0xffff);
      VectorMask<Integer> fixed = magnitude.compare(VectorOperators.GE, 0x7f7f0000);
      VectorMask<Integer> nan = magnitude.compare(VectorOperators.GT, 0x7f800000);
      IntVector upper = bits.add(noise.blend(0, fixed)).lanewise(VectorOperators.LSHR, 16);
      ((ShortVector) upper.blend(upper.or(0x40), nan).convertShape(VectorOperators.I2S, S, 0))
          .intoMemorySegment(ALL, to + 2L * i, ORDER);
    }
  }

  @Override
  public void roundBf16(float[] x, int at, int count) {
    int whole = F.loopBound(count);
    for (int i = at; i < at + whole; i += LANES) {
      FloatVector value = FloatVector.fromArray(F, x, i);
      IntVector bits = value.reinterpretAsInts();
      IntVector upper = bits.lanewise(VectorOperators.LSHR, 16);
      IntVector nearest = bits.add(0x7fff).add(upper.and(1)).lanewise(VectorOperators.LSHR, 16);
      VectorMask<Integer> nan = value.compare(VectorOperators.NE, value).cast(I);
      nearest
          .blend(upper.or(0x40), nan)
          .lanewise(VectorOperators.LSHL, 16)
          .reinterpretAsFloats()
          .intoArray(x, i);
    }
    super.roundBf16(x, at + whole, count - whole);
  }
}
