package dev.fovea.kernels.cpu.simd;

import static dev.fovea.kernels.cpu.simd.Memory.ALL;
import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.FloatVector.fromArray;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;
import static jdk.incubator.vector.VectorOperators.EQ;
import static jdk.incubator.vector.VectorOperators.I2S;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.NE;
import static jdk.incubator.vector.VectorOperators.S2I;

import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/** {@link Updates} with the Vector API; what is left over goes to the plain loops. */
final class VectorUpdates implements Updates {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Integer> I = IntVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Short> S =
      VectorSpecies.of(short.class, VectorShape.forBitSize(F.vectorBitSize() / 2));
  private static final int LANES = F.length();
  private static final long BYTES = 4L * LANES;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final Updates SCALAR = new ScalarUpdates();

  @Override
  public void adamW(
      long p,
      long g,
      long m,
      long v,
      int count,
      float scale,
      float beta1,
      float beta2,
      float eps,
      float shrink,
      float rate,
      float rootScale) {
    long i = 0;
    for (long end = 4L * (count - count % LANES); i < end; i += BYTES) {
      FloatVector gradient = fromMemorySegment(F, ALL, g + i, ORDER).mul(scale);
      FloatVector old = fromMemorySegment(F, ALL, m + i, ORDER);
      FloatVector mean = broadcast(F, 1 - beta1).fma(gradient.sub(old), old);
      FloatVector square = fromMemorySegment(F, ALL, v + i, ORDER).mul(beta2);
      square = gradient.mul(1 - beta2).fma(gradient, square);
      FloatVector step = mean.div(square.sqrt().fma(broadcast(F, rootScale), broadcast(F, eps)));
      mean.intoMemorySegment(ALL, m + i, ORDER);
      square.intoMemorySegment(ALL, v + i, ORDER);
      FloatVector shrunk = fromMemorySegment(F, ALL, p + i, ORDER).mul(shrink);
      broadcast(F, -rate).fma(step, shrunk).intoMemorySegment(ALL, p + i, ORDER);
    }
    SCALAR.adamW(p + i, g + i, m + i, v + i, count % LANES, scale, beta1, beta2, eps, shrink, rate, rootScale);
  }

  @Override
  public void adafactor(
      long p,
      long g,
      long m,
      long v,
      int count,
      float scale,
      float beta2,
      float eps,
      float kept,
      float fresh,
      float shrink,
      float rate) {
    long i = 0;
    for (long end = 4L * (count - count % LANES); i < end; i += BYTES) {
      FloatVector gradient = fromMemorySegment(F, ALL, g + i, ORDER).mul(scale);
      FloatVector square = gradient.fma(gradient, broadcast(F, eps));
      square = broadcast(F, 1 - beta2)
          .fma(square, fromMemorySegment(F, ALL, v + i, ORDER).mul(beta2));
      FloatVector update = gradient.div(square.sqrt());
      FloatVector mean = broadcast(F, fresh)
          .fma(update, fromMemorySegment(F, ALL, m + i, ORDER).mul(kept));
      square.intoMemorySegment(ALL, v + i, ORDER);
      mean.intoMemorySegment(ALL, m + i, ORDER);
      FloatVector shrunk = fromMemorySegment(F, ALL, p + i, ORDER).mul(shrink);
      broadcast(F, -rate).fma(mean, shrunk).intoMemorySegment(ALL, p + i, ORDER);
    }
    SCALAR.adafactor(p + i, g + i, m + i, v + i, count % LANES, scale, beta2, eps, kept, fresh, shrink, rate);
  }

  @Override
  public void factored(
      long p,
      long g,
      long m,
      int count,
      float scale,
      float[] columns,
      int columnsAt,
      float kept,
      float fresh,
      float shrink,
      float rate) {
    int whole = count - count % LANES;
    for (int c = 0; c < whole; c += LANES) {
      long i = 4L * c;
      FloatVector update = fromMemorySegment(F, ALL, g + i, ORDER).mul(scale).mul(fromArray(F, columns, columnsAt + c));
      FloatVector mean = broadcast(F, fresh)
          .fma(update, fromMemorySegment(F, ALL, m + i, ORDER).mul(kept));
      mean.intoMemorySegment(ALL, m + i, ORDER);
      FloatVector shrunk = fromMemorySegment(F, ALL, p + i, ORDER).mul(shrink);
      broadcast(F, -rate).fma(mean, shrunk).intoMemorySegment(ALL, p + i, ORDER);
    }
    long i = 4L * whole;
    SCALAR.factored(p + i, g + i, m + i, count - whole, scale, columns, columnsAt + whole, kept, fresh, shrink, rate);
  }

  @Override
  public void factoredHalf(
      long p,
      long g,
      long m,
      int count,
      float scale,
      float[] columns,
      int columnsAt,
      float momentum,
      float fresh,
      float shrink,
      float rate) {
    int whole = count - count % LANES;
    for (int c = 0; c < whole; c += LANES) {
      long i = 4L * c;
      long half = m + 2L * c;
      FloatVector update = fromMemorySegment(F, ALL, g + i, ORDER).mul(scale).mul(fromArray(F, columns, columnsAt + c));
      ShortVector upper = ShortVector.fromMemorySegment(S, ALL, half, ORDER);
      FloatVector product = ((IntVector) upper.convertShape(S2I, I, 0))
          .lanewise(LSHL, 16)
          .reinterpretAsFloats()
          .mul(momentum);
      IntVector bits = product.reinterpretAsInts();
      bits = bits.add(
          bits.lanewise(LSHR, 16).and(1).add(0x7fff),
          product.compare(EQ, product).cast(I));
      FloatVector mean = broadcast(F, fresh).fma(update, bits.and(0xffff0000).reinterpretAsFloats());
      bits = mean.reinterpretAsInts();
      bits = bits.add(
          bits.lanewise(LSHR, 16).and(1).add(0x7fff), mean.compare(EQ, mean).cast(I));
      ((ShortVector) bits.lanewise(LSHR, 16).convertShape(I2S, S, 0)).intoMemorySegment(ALL, half, ORDER);
      FloatVector shrunk = fromMemorySegment(F, ALL, p + i, ORDER).mul(shrink);
      broadcast(F, -rate).fma(mean, shrunk).intoMemorySegment(ALL, p + i, ORDER);
    }
    long i = 4L * whole;
    SCALAR.factoredHalf(
        p + i, g + i, m + i / 2, count - whole, scale, columns, columnsAt + whole, momentum, fresh, shrink, rate);
  }

  @Override
  public void momentum(
      long p,
      long g,
      long m,
      int count,
      float scale,
      float momentum,
      float coupled,
      float shrink,
      float rate,
      boolean nesterov) {
    long i = 0;
    for (long end = 4L * (count - count % LANES); i < end; i += BYTES) {
      FloatVector old = fromMemorySegment(F, ALL, p + i, ORDER);
      FloatVector d =
          old.fma(broadcast(F, coupled), fromMemorySegment(F, ALL, g + i, ORDER).mul(scale));
      FloatVector moving = fromMemorySegment(F, ALL, m + i, ORDER).fma(broadcast(F, momentum), d);
      moving.intoMemorySegment(ALL, m + i, ORDER);
      FloatVector step = nesterov ? moving.fma(broadcast(F, momentum), d) : moving;
      step.fma(broadcast(F, -rate), old.mul(shrink)).intoMemorySegment(ALL, p + i, ORDER);
    }
    SCALAR.momentum(p + i, g + i, m + i, count % LANES, scale, momentum, coupled, shrink, rate, nesterov);
  }

  @Override
  public void multiplyBf16(long m, int count, float factor) {
    long i = 0;
    for (long end = 4L * (count - count % LANES); i < end; i += BYTES) {
      FloatVector value = fromMemorySegment(F, ALL, m + i, ORDER).mul(factor);
      IntVector bits = value.reinterpretAsInts();
      IntVector upper = bits.lanewise(LSHR, 16);
      IntVector nearest = bits.add(0x7fff).add(upper.and(1)).lanewise(LSHR, 16);
      VectorMask<Integer> nan = value.compare(NE, value).cast(I);
      nearest
          .blend(upper.or(0x40), nan)
          .lanewise(LSHL, 16)
          .reinterpretAsFloats()
          .intoMemorySegment(ALL, m + i, ORDER);
    }
    SCALAR.multiplyBf16(m + i, count % LANES, factor);
  }

  @Override
  public int addSquares(long g, int count, float scale, float[] sums, int sumsAt, float[] few) {
    int fours = count / 64 * 16;
    for (int i = 0; i < fours; i += LANES) {
      int at = 4 * (i & -16) + (i & 15);
      long from = g + 4L * at;
      int to = sumsAt + at;
      FloatVector a = fromMemorySegment(F, ALL, from, ORDER).mul(scale);
      FloatVector b = fromMemorySegment(F, ALL, from + 64, ORDER).mul(scale);
      FloatVector c = fromMemorySegment(F, ALL, from + 128, ORDER).mul(scale);
      FloatVector d = fromMemorySegment(F, ALL, from + 192, ORDER).mul(scale);
      a = a.mul(a);
      b = b.mul(b);
      c = c.mul(c);
      d = d.mul(d);
      fromArray(F, sums, to).add(a).intoArray(sums, to);
      fromArray(F, sums, to + 16).add(b).intoArray(sums, to + 16);
      fromArray(F, sums, to + 32).add(c).intoArray(sums, to + 32);
      fromArray(F, sums, to + 48).add(d).intoArray(sums, to + 48);
      a.add(c).add(b.add(d)).intoArray(few, i);
    }
    return ScalarUpdates.addLast(g, count, scale, sums, sumsAt, few);
  }

  @Override
  public void reciprocalRoots(float[] x, int at, int count) {
    int end = at + count - count % LANES;
    for (int i = at; i < end; i += LANES) {
      broadcast(F, 1f).div(fromArray(F, x, i).sqrt()).intoArray(x, i);
    }
    SCALAR.reciprocalRoots(x, end, count % LANES);
  }
}
