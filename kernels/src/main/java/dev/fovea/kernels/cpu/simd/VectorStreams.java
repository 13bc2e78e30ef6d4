package dev.fovea.kernels.cpu.simd;

import static dev.fovea.kernels.cpu.simd.Memory.ALL;
import static dev.fovea.kernels.cpu.simd.Memory.known;
import static dev.fovea.kernels.cpu.simd.Memory.offset;
import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.FloatVector.fromArray;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;

import dev.fovea.kernels.Activation;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link Streams} of F32 with the Vector API: the loops of {@link VectorArithmetic}, over memory.
 *
 * <p>The loops of norms end by {@code !=}, by which C2 leaves them as written: unrolled, with a loop before and one
 * after, each would meet memory by many instructions. Prefetching follows one instruction from group to group, and lost
 * its way at every group.
 *
 * <p>{@code squaredDeviations}, {@code normalize} and the passes of the gradient are longer than the 325 bytecodes up
 * to which C2 inlines what is hot, and must stay so: with all passes of a norm in one method it boxes vectors, which
 * {@code AllocationTest} finds.
 */
final class VectorStreams implements Streams {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final int LANES = F.length();
  private static final int PAIR = 2 * LANES;
  private static final long BYTES = 4L * LANES;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final VectorShuffle<Float> BY_8 = VectorArithmetic.rotation(8);
  private static final VectorShuffle<Float> BY_4 = VectorArithmetic.rotation(4);
  private static final VectorShuffle<Float> BY_2 = VectorArithmetic.rotation(2);
  private static final VectorShuffle<Float> BY_1 = VectorArithmetic.rotation(1);
  private static final Streams SCALAR = new ScalarStreams();

  private final VectorGateStreams gates = new VectorGateStreams(false);

  @Override
  public boolean takes(int width) {
    return true;
  }

  @Override
  public void arrange(float[] x, int at, int count) {
    // As they are.
  }

  @Override
  public void restore(float[] x, int at, int count) {
    // As they are.
  }

  @Override
  public void combine(float alpha, long x, float beta, long y, long z, int count) {
    long i = 0;
    for (long end = 4L * (count - count % LANES); i < end; i += BYTES) {
      FloatVector xV = fromMemorySegment(F, ALL, x + i, ORDER);
      FloatVector yV = fromMemorySegment(F, ALL, y + i, ORDER);
      xV.fma(broadcast(F, alpha), yV.mul(beta)).intoMemorySegment(ALL, z + i, ORDER);
    }
    SCALAR.combine(alpha, x + i, beta, y + i, z + i, count % LANES);
  }

  @Override
  public void scale(float alpha, long x, long z, int count) {
    long i = 0;
    for (long end = 4L * (count - count % LANES); i < end; i += BYTES) {
      fromMemorySegment(F, ALL, x + i, ORDER).mul(alpha).intoMemorySegment(ALL, z + i, ORDER);
    }
    SCALAR.scale(alpha, x + i, z + i, count % LANES);
  }

  @Override
  public void multiply(long x, long y, long z, int count) {
    long i = 0;
    for (long end = 4L * (count - count % LANES); i < end; i += BYTES) {
      FloatVector xV = fromMemorySegment(F, ALL, x + i, ORDER);
      xV.mul(fromMemorySegment(F, ALL, y + i, ORDER)).intoMemorySegment(ALL, z + i, ORDER);
    }
    SCALAR.multiply(x + i, y + i, z + i, count % LANES);
  }

  @Override
  public void multiplyAdd(float alpha, float[] x, int xAt, long y, long add, long z, int count) {
    int whole = count - count % LANES;
    for (int c = 0; c < whole; c += LANES) {
      long i = 4L * c;
      FloatVector yV = fromMemorySegment(F, ALL, y + i, ORDER);
      FloatVector addV = fromMemorySegment(F, ALL, add + i, ORDER);
      fromArray(F, x, xAt + c).mul(alpha).fma(yV, addV).intoMemorySegment(ALL, z + i, ORDER);
    }
    long i = 4L * whole;
    SCALAR.multiplyAdd(alpha, x, xAt + whole, y + i, add + i, z + i, count - whole);
  }

  @Override
  public void activation(Activation f, long x, long y, int count) {
    long done = f == Activation.NONE || f == Activation.TANH ? 0 : VectorActivationStreams.value(f, x, y, count);
    SCALAR.activation(f, x + done, y + done, count - (int) (done / 4));
  }

  @Override
  public void activationGradient(Activation f, long x, long dy, long dx, int count) {
    long done =
        f == Activation.NONE || f == Activation.TANH ? 0 : VectorActivationStreams.gradient(f, x, dy, dx, count);
    SCALAR.activationGradient(f, x + done, dy + done, dx + done, count - (int) (done / 4));
  }

  @Override
  public void swiglu(long gate, long x, long y, int count) {
    long done = gates.swiglu(gate, x, y, count);
    SCALAR.swiglu(gate + done, x + done, y + done, count - (int) (done / 4));
  }

  @Override
  public void swigluGradient(long gate, long x, long dy, long dGate, long dx, int count) {
    long done = gates.swigluGradient(gate, x, dy, dGate, dx, count);
    int rest = count - (int) (done / 4);
    SCALAR.swigluGradient(gate + done, x + done, dy + done, dGate + done, dx + done, rest);
  }

  @Override
  public float sum(long x, int count) {
    long xs = known(x);
    int pairs = count & -PAIR;
    FloatVector sum = broadcast(F, 0f);
    FloatVector second = sum;
    for (int i = 0; i != pairs; i += PAIR) {
      long at = xs + offset(i, 4);
      sum = fromMemorySegment(F, ALL, at, ORDER).add(sum);
      second = fromMemorySegment(F, ALL, at + BYTES, ORDER).add(second);
    }
    sum = sum.add(second);
    for (int i = pairs; i < count; i += LANES) {
      VectorMask<Float> in = F.indexInRange(i, count);
      sum = fromMemorySegment(F, ALL, xs + offset(i, 4), ORDER, in).add(sum);
    }
    sum = LANES > 8 ? sum.add(sum.rearrange(BY_8)) : sum;
    sum = LANES > 4 ? sum.add(sum.rearrange(BY_4)) : sum;
    sum = sum.add(sum.rearrange(BY_2));
    sum = sum.add(sum.rearrange(BY_1));
    return sum.lane(0);
  }

  @Override
  public float squaredDeviations(float mean, long x, int count) {
    FloatVector means = broadcast(F, mean);
    long xs = known(x);
    int pairs = count - count % PAIR;
    FloatVector sum = broadcast(F, 0f);
    FloatVector second = sum;
    for (int i = 0; i != pairs; i += PAIR) {
      long at = xs + offset(i, 4);
      FloatVector a = fromMemorySegment(F, ALL, at, ORDER).sub(means);
      FloatVector b = fromMemorySegment(F, ALL, at + BYTES, ORDER).sub(means);
      sum = a.fma(a, sum);
      second = b.fma(b, second);
    }
    sum = sum.add(second);
    for (int i = pairs; i < count; i += LANES) {
      VectorMask<Float> in = F.indexInRange(i, count);
      FloatVector rest = fromMemorySegment(F, ALL, xs + offset(i, 4), ORDER, in);
      FloatVector deviation = rest.lanewise(VectorOperators.SUB, means, in);
      sum = deviation.fma(deviation, sum);
    }
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
    long xs = known(x);
    long ys = known(y);
    int pairs = count - count % PAIR;
    for (int i = 0; i != pairs; i += PAIR) {
      long at = offset(i, 4);
      FloatVector a = fromMemorySegment(F, ALL, xs + at, ORDER).sub(means).mul(rstds);
      FloatVector b =
          fromMemorySegment(F, ALL, xs + at + BYTES, ORDER).sub(means).mul(rstds);
      a = a.fma(fromArray(F, weight, i), fromArray(F, bias, i));
      b = b.fma(fromArray(F, weight, i + LANES), fromArray(F, bias, i + LANES));
      a.intoMemorySegment(ALL, ys + at, ORDER);
      b.intoMemorySegment(ALL, ys + at + BYTES, ORDER);
    }
    for (int i = pairs; i < count; i += LANES) {
      long at = offset(i, 4);
      VectorMask<Float> in = F.indexInRange(i, count);
      FloatVector normal =
          fromMemorySegment(F, ALL, xs + at, ORDER, in).sub(means).mul(rstds);
      FloatVector shifted = normal.fma(fromArray(F, weight, i, in), fromArray(F, bias, i, in));
      shifted.intoMemorySegment(ALL, ys + at, ORDER, in);
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
    int whole = count - count % LANES;
    for (int i = 0; i != whole; i += LANES) {
      long at = offset(i, 4);
      FloatVector normal = fromMemorySegment(F, ALL, xs + at, ORDER).sub(means).mul(rstds);
      FloatVector g = fromMemorySegment(F, ALL, slopes + at, ORDER).mul(fromMemorySegment(F, ALL, weights + at, ORDER));
      a = g.add(a);
      b = g.fma(normal, b);
    }
    a = LANES > 8 ? a.add(a.rearrange(BY_8)) : a;
    a = LANES > 4 ? a.add(a.rearrange(BY_4)) : a;
    a = a.add(a.rearrange(BY_2));
    a = a.add(a.rearrange(BY_1));
    b = LANES > 8 ? b.add(b.rearrange(BY_8)) : b;
    b = LANES > 4 ? b.add(b.rearrange(BY_4)) : b;
    b = b.add(b.rearrange(BY_2));
    b = b.add(b.rearrange(BY_1));
    long rest = 4L * whole;
    SCALAR.normGradientSums(mean, rstd, x + rest, dy + rest, weight + rest, sums, count - whole);
    sums[0] += a.lane(0);
    sums[1] += b.lane(0);
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
    int whole = count - count % LANES;
    for (int i = 0; i != whole; i += LANES) {
      long at = offset(i, 4);
      FloatVector slope = fromMemorySegment(F, ALL, slopes + at, ORDER);
      FloatVector normal = fromMemorySegment(F, ALL, xs + at, ORDER).sub(means).mul(rstds);
      slope.add(fromMemorySegment(F, ALL, dBiases + at, ORDER)).intoMemorySegment(ALL, dBiases + at, ORDER);
      slope.fma(normal, fromMemorySegment(F, ALL, dWeights + at, ORDER)).intoMemorySegment(ALL, dWeights + at, ORDER);
      FloatVector g = slope.mul(fromMemorySegment(F, ALL, weights + at, ORDER));
      FloatVector addV = fromMemorySegment(F, ALL, adds + (at & step), ORDER);
      normal.fma(meanGns, g.sub(meanGs)).fma(rstds, addV).intoMemorySegment(ALL, dxs + at, ORDER);
    }
    long rest = 4L * whole;
    SCALAR.normGradient(
        mean,
        rstd,
        meanG,
        meanGn,
        x + rest,
        dy + rest,
        weight + rest,
        dWeight + rest,
        dBias + rest,
        add + (rest & step),
        addStep,
        dx + rest,
        count - whole);
  }
}
