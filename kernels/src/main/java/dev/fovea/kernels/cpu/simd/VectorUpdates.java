package dev.fovea.kernels.cpu.simd;

import static dev.fovea.kernels.cpu.simd.Memory.ALL;
import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.FloatVector.fromArray;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;

import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** {@link Updates} with the Vector API; what is left over goes to the plain loops. */
final class VectorUpdates implements Updates {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Integer> I = IntVector.SPECIES_PREFERRED;
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
      IntVector upper = bits.lanewise(VectorOperators.LSHR, 16);
      IntVector nearest = bits.add(0x7fff).add(upper.and(1)).lanewise(VectorOperators.LSHR, 16);
      VectorMask<Integer> nan = value.compare(VectorOperators.NE, value).cast(I);
      nearest
          .blend(upper.or(0x40), nan)
          .lanewise(VectorOperators.LSHL, 16)
          .reinterpretAsFloats()
          .intoMemorySegment(ALL, m + i, ORDER);
    }
    SCALAR.multiplyBf16(m + i, count % LANES, factor);
  }

  @Override
  public void squares(long g, int count, float scale, float[] to) {
    int whole = count - count % LANES;
    for (int i = 0; i < whole; i += LANES) {
      FloatVector gradient = fromMemorySegment(F, ALL, g + 4L * i, ORDER).mul(scale);
      gradient.mul(gradient).intoArray(to, i);
    }
    ScalarUpdates.squares(g, whole, count, scale, to);
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
