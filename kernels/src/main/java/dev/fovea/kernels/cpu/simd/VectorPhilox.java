package dev.fovea.kernels.cpu.simd;

import static dev.fovea.kernels.cpu.simd.PhiloxConstants.*;
import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.XOR;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.LongVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link Philox} with the Vector API: a word of a block per 64-bit lane, so that products keep both halves. Only lower
 * halves count; they are cut out where they are multiplied, which C2 needs to see in order to multiply 32 bits.
 */
final class VectorPhilox implements Philox {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Integer> I = IntVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Long> L = LongVector.SPECIES_PREFERRED;
  private static final int LANES = F.length();
  private static final int BLOCKS = L.length();
  private static final int WORDS = 4 * BLOCKS;
  private static final long LOW = 0xffffffffL;

  private static final VectorShuffle<Long> FIRST_HALF = VectorShuffle.fromOp(L, i -> i / 2);
  private static final VectorShuffle<Long> SECOND_HALF = VectorShuffle.fromOp(L, i -> BLOCKS / 2 + i / 2);
  private static final VectorMask<Long> ODD = VectorMask.fromLong(L, 0xAAAA_AAAA_AAAA_AAAAL);
  /** A quarter turn back for odd elements. */
  private static final IntVector TURNED =
      LongVector.broadcast(L, 3L * QUARTER << 32).reinterpretAsInts();

  private final Maths maths = new VectorMaths();

  @Override
  public void words(long seed, long step, long first, int[] to, int at, int count) {
    int head = Math.min((int) (-first & 3), count);
    ScalarPhilox.scalarWords(seed, step, first, to, at, head);
    int i = head;
    // Two lanes are no faster than plain Java, and C2 has no shuffle for them.
    for (; BLOCKS > 2 && i <= count - WORDS; i += WORDS) {
      blocks(seed, step, first + i >>> 2, to, at + i);
    }
    ScalarPhilox.scalarWords(seed, step, first + i, to, at + i, count - i);
  }

  static void blocks(long seed, long step, long index, int[] to, int at) {
    LongVector k0 = LongVector.broadcast(L, seed);
    LongVector k1 = LongVector.broadcast(L, seed >>> 32);
    LongVector counter = LongVector.broadcast(L, index).addIndex(1);
    LongVector c0 = counter;
    LongVector c1 = counter.lanewise(LSHR, 32);
    LongVector c2 = LongVector.broadcast(L, step);
    LongVector c3 = LongVector.broadcast(L, step >>> 32);
    LongVector multiplier0 = LongVector.broadcast(L, MULTIPLIER_0).and(LOW);
    LongVector multiplier1 = LongVector.broadcast(L, MULTIPLIER_1).and(LOW);
    for (int round = 0; round < ROUNDS; round++) { // small enough that C2 unrolls it wholly
      LongVector p0 = c0.and(LOW).mul(multiplier0);
      LongVector p1 = c2.and(LOW).mul(multiplier1);
      c0 = p1.lanewise(LSHR, 32).lanewise(XOR, c1).lanewise(XOR, k0);
      c1 = p1;
      c2 = p0.lanewise(LSHR, 32).lanewise(XOR, c3).lanewise(XOR, k1);
      c3 = p0;
      k0 = LongVector.broadcast(L, KEY_STEP_0).add(k0);
      k1 = LongVector.broadcast(L, KEY_STEP_1).add(k1);
    }
    LongVector front = c0.and(LOW).or(c1.lanewise(LSHL, 32));
    LongVector back = c2.and(LOW).or(c3.lanewise(LSHL, 32));
    front
        .rearrange(FIRST_HALF)
        .blend(back.rearrange(FIRST_HALF), ODD)
        .reinterpretAsInts()
        .intoArray(to, at);
    front
        .rearrange(SECOND_HALF)
        .blend(back.rearrange(SECOND_HALF), ODD)
        .reinterpretAsInts()
        .intoArray(to, at + WORDS / 2);
  }

  @Override
  public void uniform(int[] words, float low, float high, float below, float[] to, int count) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      IntVector bits = IntVector.fromArray(I, words, i).lanewise(LSHR, 8);
      ((FloatVector) bits.convert(I2F, 0))
          .mul(0x1p-24f)
          .fma(broadcast(F, high - low), broadcast(F, low))
          .min(below)
          .intoArray(to, i);
    }
    for (; i < count; i++) {
      to[i] = Math.min(Math.fma(high - low, (words[i] >>> 8) * 0x1p-24f, low), below);
    }
  }

  /** Every lane does the whole work for its own element, in three loops. */
  @Override
  public void normal(int[] words, float mean, float deviation, float[] to, int count) {
    int whole = count - count % LANES;
    firstOfTwo(words, to, whole);
    maths.log(to, 0, to, 0, whole);
    turn(words, mean, deviation, to, whole);
    ScalarPhilox.scalarNormal(words, mean, deviation, to, whole, count);
  }

  /** The first word of each pair in both of its lanes, as a number from 2^-24 to 1. */
  private static void firstOfTwo(int[] words, float[] to, int count) {
    for (int i = 0; i < count; i += LANES) {
      LongVector first = IntVector.fromArray(I, words, i).reinterpretAsLongs().and(LOW);
      IntVector twice = first.or(first.lanewise(LSHL, 32)).reinterpretAsInts();
      FloatVector steps = (FloatVector) twice.lanewise(LSHR, 8).add(1).convert(I2F, 0);
      steps.mul(0x1p-24f).intoArray(to, i);
    }
  }

  /** One body without calls of our own, which C2 might not inline so far into a compilation. */
  private static void turn(int[] words, float mean, float deviation, float[] logs, int count) {
    for (int i = 0; i < count; i += LANES) {
      LongVector second = IntVector.fromArray(I, words, i).reinterpretAsLongs().lanewise(LSHR, 32);
      IntVector angle = second.or(second.lanewise(LSHL, 32)).reinterpretAsInts().lanewise(LSHR, 8);
      IntVector phase = angle.add(TURNED);
      IntVector quarters = phase.add(QUARTER / 2).lanewise(LSHR, QUARTER_BITS);
      IntVector rest = phase.sub(quarters.lanewise(LSHL, QUARTER_BITS));
      FloatVector t = ((FloatVector) rest.convert(I2F, 0)).mul(1f / QUARTER);
      FloatVector z = t.mul(t);
      FloatVector cos = z.fma(broadcast(F, C3), broadcast(F, C2));
      cos = cos.fma(z, broadcast(F, C1));
      cos = cos.fma(z, broadcast(F, C0));
      cos = cos.fma(z, broadcast(F, 1f));
      FloatVector sin = z.fma(broadcast(F, S3), broadcast(F, S2));
      sin = sin.fma(z, broadcast(F, S1));
      sin = sin.fma(z, broadcast(F, S0));
      sin = sin.fma(z, broadcast(F, QUARTER_LOW));
      sin = t.fma(broadcast(F, QUARTER_HIGH), t.mul(sin));
      IntVector odd = IntVector.zero(I).sub(quarters.and(1));
      IntVector sign = quarters.add(1).and(2).lanewise(LSHL, 30);
      FloatVector turned = cos.reinterpretAsInts()
          .lanewise(VectorOperators.BITWISE_BLEND, sin.reinterpretAsInts(), odd)
          .lanewise(XOR, sign)
          .reinterpretAsFloats();
      FloatVector radius = FloatVector.fromArray(F, logs, i).mul(-2f).sqrt();
      radius.mul(turned).fma(broadcast(F, deviation), broadcast(F, mean)).intoArray(logs, i);
    }
  }

  @Override
  public void keep(int[] words, float keep, float kept, float[] to, int count) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      IntVector bits = IntVector.fromArray(I, words, i).lanewise(LSHR, 8);
      VectorMask<Float> in = ((FloatVector) bits.convert(I2F, 0)).mul(0x1p-24f).compare(VectorOperators.LT, keep);
      FloatVector.zero(F).blend(kept, in).intoArray(to, i);
    }
    for (; i < count; i++) {
      to[i] = (words[i] >>> 8) * 0x1p-24f < keep ? kept : 0f;
    }
  }
}
