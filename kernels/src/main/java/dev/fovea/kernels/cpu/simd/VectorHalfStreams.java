package dev.fovea.kernels.cpu.simd;

import static dev.fovea.kernels.cpu.simd.Memory.ALL;
import static dev.fovea.kernels.cpu.simd.Memory.known;
import static dev.fovea.kernels.cpu.simd.Memory.offset;
import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.FloatVector.fromArray;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;
import static jdk.incubator.vector.VectorOperators.EQ;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import dev.fovea.kernels.Activation;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link Streams} of BF16 with the Vector API. A step loads a vector of pairs, and those with even and with odd indices
 * are one instruction away from being vectors of floats: nothing crosses lanes, as it would where neighbours stay
 * neighbours. Arrays are arranged in the same way, step by step.
 *
 * <p>Rounding is to nearest even and leaves NaN alone: every one here is quiet, as a result of arithmetic. It is
 * written out in each loop: as a method on vectors, C2 boxes what goes in on some days.
 */
final class VectorHalfStreams implements Streams {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Integer> I = IntVector.SPECIES_PREFERRED;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int HIGH = 0xffff0000;
  private static final int LANES = F.length();
  private static final int STEP = 2 * LANES;
  private static final long BYTES = 2L * STEP;
  private static final VectorShuffle<Float> BY_8 = VectorArithmetic.rotation(8);
  private static final VectorShuffle<Float> BY_4 = VectorArithmetic.rotation(4);
  private static final VectorShuffle<Float> BY_2 = VectorArithmetic.rotation(2);
  private static final VectorShuffle<Float> BY_1 = VectorArithmetic.rotation(1);
  private static final VectorShuffle<Float> EVEN = VectorShuffle.fromOp(F, lane -> 2 * lane % LANES);
  private static final VectorShuffle<Float> ODD = VectorShuffle.fromOp(F, lane -> (2 * lane + 1) % LANES);
  private static final VectorShuffle<Float> LOWER = VectorShuffle.fromOp(F, lane -> lane / 2);
  private static final VectorShuffle<Float> UPPER = VectorShuffle.fromOp(F, lane -> (lane + LANES) / 2);
  private static final VectorMask<Float> UPPER_LANES = F.indexInRange(-LANES / 2, LANES / 2);
  private static final VectorMask<Float> ODD_LANES = VectorMask.fromLong(F, 0xaaaa_aaaa_aaaa_aaaaL);
  private static final Streams SCALAR = new ScalarHalfStreams();

  private final VectorGateStreams gates = new VectorGateStreams(true);

  @Override
  public boolean takes(int width) {
    return width % STEP == 0;
  }

  @Override
  public void arrange(float[] x, int at, int count) {
    for (int i = at; i < at + count; i += STEP) {
      FloatVector a = fromArray(F, x, i);
      FloatVector b = fromArray(F, x, i + LANES);
      a.rearrange(EVEN).blend(b.rearrange(EVEN), UPPER_LANES).intoArray(x, i);
      a.rearrange(ODD).blend(b.rearrange(ODD), UPPER_LANES).intoArray(x, i + LANES);
    }
  }

  @Override
  public void restore(float[] x, int at, int count) {
    for (int i = at; i < at + count; i += STEP) {
      FloatVector a = fromArray(F, x, i);
      FloatVector b = fromArray(F, x, i + LANES);
      a.rearrange(LOWER).blend(b.rearrange(LOWER), ODD_LANES).intoArray(x, i);
      a.rearrange(UPPER).blend(b.rearrange(UPPER), ODD_LANES).intoArray(x, i + LANES);
    }
  }

  @Override
  public void combine(float alpha, long x, float beta, long y, long z, int count) {
    long i = 0;
    for (long end = 2L * (count - count % STEP); i < end; i += BYTES) {
      IntVector xs = IntVector.fromMemorySegment(I, ALL, x + i, ORDER);
      IntVector ys = IntVector.fromMemorySegment(I, ALL, y + i, ORDER);
      FloatVector first = xs.lanewise(LSHL, 16)
          .reinterpretAsFloats()
          .fma(broadcast(F, alpha), ys.lanewise(LSHL, 16).reinterpretAsFloats().mul(beta));
      FloatVector second = xs.and(HIGH)
          .reinterpretAsFloats()
          .fma(broadcast(F, alpha), ys.and(HIGH).reinterpretAsFloats().mul(beta));
      IntVector low = first.reinterpretAsInts();
      IntVector high = second.reinterpretAsInts();
      low = low.add(
          low.lanewise(LSHR, 16).and(1).add(0x7fff), first.compare(EQ, first).cast(I));
      high = high.add(
          high.lanewise(LSHR, 16).and(1).add(0x7fff), second.compare(EQ, second).cast(I));
      high.and(HIGH).or(low.lanewise(LSHR, 16)).intoMemorySegment(ALL, z + i, ORDER);
    }
    SCALAR.combine(alpha, x + i, beta, y + i, z + i, count % STEP);
  }

  @Override
  public void scale(float alpha, long x, long z, int count) {
    long i = 0;
    for (long end = 2L * (count - count % STEP); i < end; i += BYTES) {
      IntVector xs = IntVector.fromMemorySegment(I, ALL, x + i, ORDER);
      FloatVector first = xs.lanewise(LSHL, 16).reinterpretAsFloats().mul(alpha);
      FloatVector second = xs.and(HIGH).reinterpretAsFloats().mul(alpha);
      IntVector low = first.reinterpretAsInts();
      IntVector high = second.reinterpretAsInts();
      low = low.add(
          low.lanewise(LSHR, 16).and(1).add(0x7fff), first.compare(EQ, first).cast(I));
      high = high.add(
          high.lanewise(LSHR, 16).and(1).add(0x7fff), second.compare(EQ, second).cast(I));
      high.and(HIGH).or(low.lanewise(LSHR, 16)).intoMemorySegment(ALL, z + i, ORDER);
    }
    SCALAR.scale(alpha, x + i, z + i, count % STEP);
  }

  @Override
  public void multiply(long x, long y, long z, int count) {
    long i = 0;
    for (long end = 2L * (count - count % STEP); i < end; i += BYTES) {
      IntVector xs = IntVector.fromMemorySegment(I, ALL, x + i, ORDER);
      IntVector ys = IntVector.fromMemorySegment(I, ALL, y + i, ORDER);
      FloatVector first =
          xs.lanewise(LSHL, 16).reinterpretAsFloats().mul(ys.lanewise(LSHL, 16).reinterpretAsFloats());
      FloatVector second = xs.and(HIGH).reinterpretAsFloats().mul(ys.and(HIGH).reinterpretAsFloats());
      IntVector low = first.reinterpretAsInts();
      IntVector high = second.reinterpretAsInts();
      low = low.add(
          low.lanewise(LSHR, 16).and(1).add(0x7fff), first.compare(EQ, first).cast(I));
      high = high.add(
          high.lanewise(LSHR, 16).and(1).add(0x7fff), second.compare(EQ, second).cast(I));
      high.and(HIGH).or(low.lanewise(LSHR, 16)).intoMemorySegment(ALL, z + i, ORDER);
    }
    SCALAR.multiply(x + i, y + i, z + i, count % STEP);
  }

  @Override
  public void multiplyAdd(float alpha, float[] x, int xAt, long y, long add, long z, int count) {
    for (int c = 0; c < count; c += STEP) {
      long i = 2L * c;
      IntVector ys = IntVector.fromMemorySegment(I, ALL, y + i, ORDER);
      IntVector adds = IntVector.fromMemorySegment(I, ALL, add + i, ORDER);
      FloatVector first = fromArray(F, x, xAt + c)
          .mul(alpha)
          .fma(
              ys.lanewise(LSHL, 16).reinterpretAsFloats(),
              adds.lanewise(LSHL, 16).reinterpretAsFloats());
      FloatVector second = fromArray(F, x, xAt + c + LANES)
          .mul(alpha)
          .fma(ys.and(HIGH).reinterpretAsFloats(), adds.and(HIGH).reinterpretAsFloats());
      IntVector low = first.reinterpretAsInts();
      IntVector high = second.reinterpretAsInts();
      low = low.add(
          low.lanewise(LSHR, 16).and(1).add(0x7fff), first.compare(EQ, first).cast(I));
      high = high.add(
          high.lanewise(LSHR, 16).and(1).add(0x7fff), second.compare(EQ, second).cast(I));
      high.and(HIGH).or(low.lanewise(LSHR, 16)).intoMemorySegment(ALL, z + i, ORDER);
    }
  }

  @Override
  public void activation(Activation f, long x, long y, int count) {
    SCALAR.activation(f, x, y, count);
  }

  @Override
  public void activationGradient(Activation f, long x, long dy, long dx, int count) {
    SCALAR.activationGradient(f, x, dy, dx, count);
  }

  @Override
  public void swiglu(long gate, long x, long y, int count) {
    long done = gates.swiglu(gate, x, y, count);
    SCALAR.swiglu(gate + done, x + done, y + done, count - (int) (done / 2));
  }

  @Override
  public void swigluGradient(long gate, long x, long dy, long dGate, long dx, int count) {
    long done = gates.swigluGradient(gate, x, dy, dGate, dx, count);
    int rest = count - (int) (done / 2);
    SCALAR.swigluGradient(gate + done, x + done, dy + done, dGate + done, dx + done, rest);
  }

  @Override
  public float sum(long x, int count) {
    FloatVector a = broadcast(F, 0f);
    FloatVector b = broadcast(F, 0f);
    for (int i = 0; i < count; i += STEP) {
      IntVector xs = IntVector.fromMemorySegment(I, ALL, x + 2L * i, ORDER);
      a = xs.lanewise(LSHL, 16).reinterpretAsFloats().add(a);
      b = xs.and(HIGH).reinterpretAsFloats().add(b);
    }
    FloatVector sum = a.add(b);
    sum = LANES > 8 ? sum.add(sum.rearrange(BY_8)) : sum;
    sum = LANES > 4 ? sum.add(sum.rearrange(BY_4)) : sum;
    sum = sum.add(sum.rearrange(BY_2));
    sum = sum.add(sum.rearrange(BY_1));
    return sum.lane(0);
  }

  @Override
  public float squaredDeviations(float mean, long x, int count) {
    FloatVector means = broadcast(F, mean);
    FloatVector a = broadcast(F, 0f);
    FloatVector b = broadcast(F, 0f);
    for (int i = 0; i < count; i += STEP) {
      IntVector xs = IntVector.fromMemorySegment(I, ALL, x + 2L * i, ORDER);
      FloatVector first = xs.lanewise(LSHL, 16).reinterpretAsFloats().sub(means);
      FloatVector second = xs.and(HIGH).reinterpretAsFloats().sub(means);
      a = first.fma(first, a);
      b = second.fma(second, b);
    }
    FloatVector sum = a.add(b);
    sum = LANES > 8 ? sum.add(sum.rearrange(BY_8)) : sum;
    sum = LANES > 4 ? sum.add(sum.rearrange(BY_4)) : sum;
    sum = sum.add(sum.rearrange(BY_2));
    sum = sum.add(sum.rearrange(BY_1));
    return sum.lane(0);
  }

  @Override
  public void normalize(float mean, float rstd, long x, float[] weight, float[] bias, long y, int count) {
    FloatVector means = broadcast(F, mean);
    FloatVector rstds = broadcast(F, rstd);
    for (int i = 0; i < count; i += STEP) {
      IntVector xs = IntVector.fromMemorySegment(I, ALL, x + 2L * i, ORDER);
      FloatVector first = xs.lanewise(LSHL, 16).reinterpretAsFloats().sub(means).mul(rstds);
      FloatVector second = xs.and(HIGH).reinterpretAsFloats().sub(means).mul(rstds);
      first = first.fma(fromArray(F, weight, i), fromArray(F, bias, i));
      second = second.fma(fromArray(F, weight, i + LANES), fromArray(F, bias, i + LANES));
      IntVector low = first.reinterpretAsInts();
      IntVector high = second.reinterpretAsInts();
      low = low.add(
          low.lanewise(LSHR, 16).and(1).add(0x7fff), first.compare(EQ, first).cast(I));
      high = high.add(
          high.lanewise(LSHR, 16).and(1).add(0x7fff), second.compare(EQ, second).cast(I));
      high.and(HIGH).or(low.lanewise(LSHR, 16)).intoMemorySegment(ALL, y + 2L * i, ORDER);
    }
  }

  @Override
  public void normGradientSums(float mean, float rstd, long x, long dy, long weight, float[] sums, int count) {
    FloatVector means = broadcast(F, mean);
    FloatVector rstds = broadcast(F, rstd);
    FloatVector a = broadcast(F, 0f);
    FloatVector b = broadcast(F, 0f);
    long xs = known(x);
    long slopes = known(dy);
    long weights = known(weight);
    for (int i = 0; i != count; i += STEP) {
      long at = offset(i, 2);
      IntVector pairs = IntVector.fromMemorySegment(I, ALL, slopes + at, ORDER);
      IntVector xPairs = IntVector.fromMemorySegment(I, ALL, xs + at, ORDER);
      long even = weights + 2 * at;
      FloatVector g = pairs.lanewise(LSHL, 16).reinterpretAsFloats().mul(fromMemorySegment(F, ALL, even, ORDER));
      a = g.add(a);
      b = g.fma(xPairs.lanewise(LSHL, 16).reinterpretAsFloats().sub(means).mul(rstds), b);
      g = pairs.and(HIGH).reinterpretAsFloats().mul(fromMemorySegment(F, ALL, even + BYTES, ORDER));
      a = g.add(a);
      b = g.fma(xPairs.and(HIGH).reinterpretAsFloats().sub(means).mul(rstds), b);
    }
    a = LANES > 8 ? a.add(a.rearrange(BY_8)) : a;
    a = LANES > 4 ? a.add(a.rearrange(BY_4)) : a;
    a = a.add(a.rearrange(BY_2));
    a = a.add(a.rearrange(BY_1));
    b = LANES > 8 ? b.add(b.rearrange(BY_8)) : b;
    b = LANES > 4 ? b.add(b.rearrange(BY_4)) : b;
    b = b.add(b.rearrange(BY_2));
    b = b.add(b.rearrange(BY_1));
    sums[0] = a.lane(0);
    sums[1] = b.lane(0);
  }

  @Override
  public void normGradient(
      float mean,
      float rstd,
      float meanG,
      float meanGn,
      long x,
      long dy,
      long weight,
      long dWeight,
      long dBias,
      long add,
      int addStep,
      long dx,
      int count) {
    FloatVector means = broadcast(F, mean);
    FloatVector rstds = broadcast(F, rstd);
    FloatVector meanGs = broadcast(F, meanG);
    FloatVector meanGns = broadcast(F, -meanGn);
    long xs = known(x);
    long slopes = known(dy);
    long weights = known(weight);
    long dWeights = known(dWeight);
    long dBiases = known(dBias);
    long adds = known(add);
    long dxs = known(dx);
    // An offset everywhere, or 0 everywhere.
    long step = addStep == 0 ? 0 : -1;
    for (int i = 0; i != count; i += STEP) {
      long at = offset(i, 2);
      IntVector pairs = IntVector.fromMemorySegment(I, ALL, slopes + at, ORDER);
      IntVector xPairs = IntVector.fromMemorySegment(I, ALL, xs + at, ORDER);
      IntVector addPairs = IntVector.fromMemorySegment(I, ALL, adds + (at & step), ORDER);
      long even = 2 * at;
      FloatVector slope = pairs.lanewise(LSHL, 16).reinterpretAsFloats();
      FloatVector normal =
          xPairs.lanewise(LSHL, 16).reinterpretAsFloats().sub(means).mul(rstds);
      slope.add(fromMemorySegment(F, ALL, dBiases + even, ORDER)).intoMemorySegment(ALL, dBiases + even, ORDER);
      slope
          .fma(normal, fromMemorySegment(F, ALL, dWeights + even, ORDER))
          .intoMemorySegment(ALL, dWeights + even, ORDER);
      FloatVector g = slope.mul(fromMemorySegment(F, ALL, weights + even, ORDER));
      FloatVector first = normal
          .fma(meanGns, g.sub(meanGs))
          .fma(rstds, addPairs.lanewise(LSHL, 16).reinterpretAsFloats());
      long odd = even + BYTES;
      slope = pairs.and(HIGH).reinterpretAsFloats();
      normal = xPairs.and(HIGH).reinterpretAsFloats().sub(means).mul(rstds);
      slope.add(fromMemorySegment(F, ALL, dBiases + odd, ORDER)).intoMemorySegment(ALL, dBiases + odd, ORDER);
      slope.fma(normal, fromMemorySegment(F, ALL, dWeights + odd, ORDER)).intoMemorySegment(ALL, dWeights + odd, ORDER);
      g = slope.mul(fromMemorySegment(F, ALL, weights + odd, ORDER));
      FloatVector second =
          normal.fma(meanGns, g.sub(meanGs)).fma(rstds, addPairs.and(HIGH).reinterpretAsFloats());
      IntVector low = first.reinterpretAsInts();
      IntVector high = second.reinterpretAsInts();
      low = low.add(
          low.lanewise(LSHR, 16).and(1).add(0x7fff), first.compare(EQ, first).cast(I));
      high = high.add(
          high.lanewise(LSHR, 16).and(1).add(0x7fff), second.compare(EQ, second).cast(I));
      high.and(HIGH).or(low.lanewise(LSHR, 16)).intoMemorySegment(ALL, dxs + at, ORDER);
    }
  }
}
