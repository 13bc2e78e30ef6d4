package dev.fovea.kernels.cpu.simd;

import static dev.fovea.kernels.cpu.simd.MathConstants.*;
import static dev.fovea.kernels.cpu.simd.Memory.ALL;
import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;
import static jdk.incubator.vector.VectorOperators.EQ;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.I2S;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.LT;
import static jdk.incubator.vector.VectorOperators.S2I;

import java.lang.invoke.MethodHandle;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorShape;
import jdk.incubator.vector.VectorSpecies;

/**
 * SwiGLU from native memory to native memory, F32 and BF16: the loops of {@link VectorActivationStreams} for SILU with
 * one more operand, and written out for the same reason.
 */
final class VectorGateStreams {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Integer> I = IntVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Short> S =
      VectorSpecies.of(short.class, VectorShape.forBitSize(F.vectorBitSize() / 2));
  private static final int LANES = F.length();
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();

  /** No constants, so that they are not inlined: see {@link VectorActivations}. */
  private final MethodHandle value;

  private final MethodHandle gradient;

  VectorGateStreams(boolean half) {
    value = VectorActivationStreams.loop(VectorGateStreams.class, half ? "halfValue" : "value", 3);
    gradient = VectorActivationStreams.loop(VectorGateStreams.class, half ? "halfGradient" : "gradient", 5);
  }

  /** {@link Streams#swiglu} of whole vectors; returns the bytes done. */
  long swiglu(long gate, long x, long y, int count) {
    try {
      return (long) value.invokeExact(gate, x, y, count);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  /** {@link Streams#swigluGradient} of whole vectors; returns the bytes done. */
  long swigluGradient(long gate, long x, long dy, long dGate, long dx, int count) {
    try {
      return (long) gradient.invokeExact(gate, x, dy, dGate, dx, count);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  static long value(long gate, long value, long y, int count) {
    long i = 0;
    for (long end = 4L * (count - count % LANES); i < end; i += 4L * LANES) {
      FloatVector g = fromMemorySegment(F, ALL, gate + i, ORDER);
      IntVector magnitude = g.reinterpretAsInts().and(Integer.MAX_VALUE);
      FloatVector a = magnitude.min(Float.floatToRawIntBits(SILU_END)).reinterpretAsFloats();
      FloatVector y2 = a.mul(-LOG2_E);
      FloatVector t = y2.add(ROUND_96);
      FloatVector r = y2.sub(t.sub(ROUND_96));
      FloatVector p = r.fma(broadcast(F, X5), broadcast(F, X4));
      p = p.fma(r, broadcast(F, X3));
      p = p.fma(r, broadcast(F, X2));
      p = p.fma(r, broadcast(F, X1));
      p = p.fma(r, broadcast(F, X0));
      p = p.fma(r, broadcast(F, 1f));
      IntVector bits = p.reinterpretAsInts().add(t.reinterpretAsInts().lanewise(LSHL, 23));
      FloatVector e = bits.reinterpretAsFloats();
      FloatVector q = e.div(broadcast(F, -0x1p96f).sub(e));
      FloatVector v = fromMemorySegment(F, ALL, value + i, ORDER);
      a.fma(q, g.blend(0f, g.compare(LT, 0f))).mul(v).intoMemorySegment(ALL, y + i, ORDER);
    }
    return i;
  }

  static long gradient(long gate, long value, long dy, long dGate, long dValue, int count) {
    long i = 0;
    for (long end = 4L * (count - count % LANES); i < end; i += 4L * LANES) {
      FloatVector g = fromMemorySegment(F, ALL, gate + i, ORDER);
      FloatVector magnitude = g.abs();
      FloatVector a = magnitude.blend(SILU_END, magnitude.compare(GT, SILU_END));
      FloatVector y2 = a.mul(-LOG2_E);
      FloatVector t = y2.add(ROUND_96);
      FloatVector r = y2.sub(t.sub(ROUND_96));
      FloatVector p = r.fma(broadcast(F, X5), broadcast(F, X4));
      p = p.fma(r, broadcast(F, X3));
      p = p.fma(r, broadcast(F, X2));
      p = p.fma(r, broadcast(F, X1));
      p = p.fma(r, broadcast(F, X0));
      p = p.fma(r, broadcast(F, 1f));
      IntVector bits = p.reinterpretAsInts().add(t.reinterpretAsInts().lanewise(LSHL, 23));
      FloatVector e = bits.reinterpretAsFloats().mul(0x1p-96f);
      FloatVector inverse = broadcast(F, 1f).div(e.add(1f));
      FloatVector q = e.mul(inverse);
      FloatVector tail = q.mul(a.neg().fma(inverse, broadcast(F, 1f)));
      FloatVector slope = broadcast(F, 1f).sub(tail).blend(tail, g.compare(LT, 0f));
      FloatVector silu = a.neg().fma(q, g.blend(0f, g.compare(LT, 0f)));
      FloatVector d = fromMemorySegment(F, ALL, dy + i, ORDER);
      FloatVector v = fromMemorySegment(F, ALL, value + i, ORDER);
      slope.mul(d.mul(v)).intoMemorySegment(ALL, dGate + i, ORDER);
      silu.mul(d).intoMemorySegment(ALL, dValue + i, ORDER);
    }
    return i;
  }

  static long halfValue(long gate, long value, long y, int count) {
    long i = 0;
    for (long end = 2L * (count - count % LANES); i < end; i += 2L * LANES) {
      FloatVector g = ((IntVector)
              ShortVector.fromMemorySegment(S, ALL, gate + i, ORDER).convertShape(S2I, I, 0))
          .lanewise(LSHL, 16)
          .reinterpretAsFloats();
      IntVector magnitude = g.reinterpretAsInts().and(Integer.MAX_VALUE);
      FloatVector a = magnitude.min(Float.floatToRawIntBits(SILU_END)).reinterpretAsFloats();
      FloatVector y2 = a.mul(-LOG2_E);
      FloatVector t = y2.add(ROUND_96);
      FloatVector r = y2.sub(t.sub(ROUND_96));
      FloatVector p = r.fma(broadcast(F, X5), broadcast(F, X4));
      p = p.fma(r, broadcast(F, X3));
      p = p.fma(r, broadcast(F, X2));
      p = p.fma(r, broadcast(F, X1));
      p = p.fma(r, broadcast(F, X0));
      p = p.fma(r, broadcast(F, 1f));
      IntVector bits = p.reinterpretAsInts().add(t.reinterpretAsInts().lanewise(LSHL, 23));
      FloatVector e = bits.reinterpretAsFloats();
      FloatVector q = e.div(broadcast(F, -0x1p96f).sub(e));
      FloatVector v = ((IntVector)
              ShortVector.fromMemorySegment(S, ALL, value + i, ORDER).convertShape(S2I, I, 0))
          .lanewise(LSHL, 16)
          .reinterpretAsFloats();
      FloatVector product = a.fma(q, g.blend(0f, g.compare(LT, 0f))).mul(v);
      IntVector productBits = product.reinterpretAsInts();
      productBits = productBits.add(
          productBits.lanewise(LSHR, 16).and(1).add(0x7fff),
          product.compare(EQ, product).cast(I));
      ((ShortVector) productBits.lanewise(LSHR, 16).convertShape(I2S, S, 0)).intoMemorySegment(ALL, y + i, ORDER);
    }
    return i;
  }

  static long halfGradient(long gate, long value, long dy, long dGate, long dValue, int count) {
    long i = 0;
    for (long end = 2L * (count - count % LANES); i < end; i += 2L * LANES) {
      FloatVector g = ((IntVector)
              ShortVector.fromMemorySegment(S, ALL, gate + i, ORDER).convertShape(S2I, I, 0))
          .lanewise(LSHL, 16)
          .reinterpretAsFloats();
      FloatVector magnitude = g.abs();
      FloatVector a = magnitude.blend(SILU_END, magnitude.compare(GT, SILU_END));
      FloatVector y2 = a.mul(-LOG2_E);
      FloatVector t = y2.add(ROUND_96);
      FloatVector r = y2.sub(t.sub(ROUND_96));
      FloatVector p = r.fma(broadcast(F, X5), broadcast(F, X4));
      p = p.fma(r, broadcast(F, X3));
      p = p.fma(r, broadcast(F, X2));
      p = p.fma(r, broadcast(F, X1));
      p = p.fma(r, broadcast(F, X0));
      p = p.fma(r, broadcast(F, 1f));
      IntVector bits = p.reinterpretAsInts().add(t.reinterpretAsInts().lanewise(LSHL, 23));
      FloatVector e = bits.reinterpretAsFloats().mul(0x1p-96f);
      FloatVector inverse = broadcast(F, 1f).div(e.add(1f));
      FloatVector q = e.mul(inverse);
      FloatVector tail = q.mul(a.neg().fma(inverse, broadcast(F, 1f)));
      FloatVector slope = broadcast(F, 1f).sub(tail).blend(tail, g.compare(LT, 0f));
      FloatVector silu = a.neg().fma(q, g.blend(0f, g.compare(LT, 0f)));
      FloatVector d = ((IntVector)
              ShortVector.fromMemorySegment(S, ALL, dy + i, ORDER).convertShape(S2I, I, 0))
          .lanewise(LSHL, 16)
          .reinterpretAsFloats();
      FloatVector v = ((IntVector)
              ShortVector.fromMemorySegment(S, ALL, value + i, ORDER).convertShape(S2I, I, 0))
          .lanewise(LSHL, 16)
          .reinterpretAsFloats();
      FloatVector first = slope.mul(d.mul(v));
      IntVector firstBits = first.reinterpretAsInts();
      firstBits = firstBits.add(
          firstBits.lanewise(LSHR, 16).and(1).add(0x7fff),
          first.compare(EQ, first).cast(I));
      ((ShortVector) firstBits.lanewise(LSHR, 16).convertShape(I2S, S, 0)).intoMemorySegment(ALL, dGate + i, ORDER);
      FloatVector second = silu.mul(d);
      IntVector secondBits = second.reinterpretAsInts();
      secondBits = secondBits.add(
          secondBits.lanewise(LSHR, 16).and(1).add(0x7fff),
          second.compare(EQ, second).cast(I));
      ((ShortVector) secondBits.lanewise(LSHR, 16).convertShape(I2S, S, 0)).intoMemorySegment(ALL, dValue + i, ORDER);
    }
    return i;
  }
}
