package dev.fovea.kernels.cpu.simd;

import static dev.fovea.kernels.cpu.simd.MathConstants.*;
import static dev.fovea.kernels.cpu.simd.Memory.ALL;
import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.FloatVector.fromMemorySegment;
import static jdk.incubator.vector.VectorOperators.GT;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LT;

import dev.fovea.kernels.Activation;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.nio.ByteOrder;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The functions of {@link VectorActivations} from native memory to native memory, called through handles for the same
 * reason, and written out: a function on vectors may be compiled alone before its loop is, and is then not inlined.
 * What is left of a whole vector goes to the plain loop.
 */
final class VectorActivationStreams {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final int LANES = F.length();
  private static final long BYTES = 4L * LANES;
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final Map<Activation, MethodHandle> VALUES = new EnumMap<>(Activation.class);
  private static final Map<Activation, MethodHandle> GRADIENTS = new EnumMap<>(Activation.class);

  static {
    VALUES.put(Activation.GELU_ERF, loop(VectorActivationStreams.class, "geluErf", 2));
    GRADIENTS.put(Activation.GELU_ERF, loop(VectorActivationStreams.class, "geluErfGradient", 3));
    VALUES.put(Activation.GELU_TANH, loop(VectorActivationStreams.class, "geluTanh", 2));
    GRADIENTS.put(Activation.GELU_TANH, loop(VectorActivationStreams.class, "geluTanhGradient", 3));
    VALUES.put(Activation.GELU_QUICK, loop(VectorActivationStreams.class, "geluQuick", 2));
    GRADIENTS.put(Activation.GELU_QUICK, loop(VectorActivationStreams.class, "geluQuickGradient", 3));
    VALUES.put(Activation.SILU, loop(VectorActivationStreams.class, "silu", 2));
    GRADIENTS.put(Activation.SILU, loop(VectorActivationStreams.class, "siluGradient", 3));
  }

  private VectorActivationStreams() {}

  /** A static method of this package that takes some addresses and a count, and returns the bytes done. */
  static MethodHandle loop(Class<?> owner, String name, int operands) {
    MethodType type = MethodType.methodType(long.class);
    for (int i = 0; i < operands; i++) {
      type = type.appendParameterTypes(long.class);
    }
    try {
      return MethodHandles.lookup().findStatic(owner, name, type.appendParameterTypes(int.class));
    } catch (ReflectiveOperationException e) {
      throw new LinkageError(name, e);
    }
  }

  /** {@link Streams#activation} of whole vectors, for all but NONE and TANH; returns the bytes done. */
  static long value(Activation f, long x, long y, int count) {
    try {
      return (long) Objects.requireNonNull(VALUES.get(f)).invokeExact(x, y, count);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  /** {@link Streams#activationGradient} of whole vectors, for all but NONE and TANH; returns the bytes done. */
  static long gradient(Activation f, long x, long dy, long dx, int count) {
    try {
      return (long) Objects.requireNonNull(GRADIENTS.get(f)).invokeExact(x, dy, dx, count);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  static long geluErf(long x, long y, int count) {
    long i = 0;
    for (long end = 4L * (count - count % LANES); i < end; i += BYTES) {
      FloatVector v = fromMemorySegment(F, ALL, x + i, ORDER);
      IntVector magnitude = v.reinterpretAsInts().and(Integer.MAX_VALUE);
      FloatVector a = magnitude.min(Float.floatToRawIntBits(TAIL_END)).reinterpretAsFloats();
      FloatVector h = a.mul(TAIL_H);
      FloatVector y2 = a.mul(h);
      FloatVector t = y2.add(TAIL_ROUND);
      FloatVector r = y2.sub(t.sub(TAIL_ROUND));
      FloatVector p = r.fma(broadcast(F, TAIL_X5), broadcast(F, TAIL_X4));
      p = p.fma(r, broadcast(F, TAIL_X3));
      p = p.fma(r, broadcast(F, TAIL_X2));
      p = p.fma(r, broadcast(F, TAIL_X1));
      p = p.fma(r, broadcast(F, TAIL_X0));
      p = p.fma(r, broadcast(F, TAIL_X));
      IntVector bits = p.reinterpretAsInts().add(t.reinterpretAsInts().lanewise(LSHL, 23));
      FloatVector e = bits.reinterpretAsFloats();
      FloatVector n = a.add(TAIL_N1).fma(a, broadcast(F, TAIL_N0)).mul(h.add(TAIL_NH));
      FloatVector d = a.add(TAIL_D3).fma(a, broadcast(F, TAIL_D2));
      d = d.fma(a, broadcast(F, TAIL_D1));
      d = d.fma(a, broadcast(F, TAIL_D0));
      FloatVector q = e.mul(n.div(d));
      a.fma(q, v.blend(0f, v.compare(LT, 0f))).intoMemorySegment(ALL, y + i, ORDER);
    }
    return i;
  }

  static long geluTanh(long x, long y, int count) {
    long i = 0;
    for (long end = 4L * (count - count % LANES); i < end; i += BYTES) {
      FloatVector v = fromMemorySegment(F, ALL, x + i, ORDER);
      IntVector magnitude = v.reinterpretAsInts().and(Integer.MAX_VALUE);
      FloatVector a = magnitude.min(Float.floatToRawIntBits(GELU_TANH_END)).reinterpretAsFloats();
      FloatVector y2 = a.mul(a.mul(a).fma(broadcast(F, T3_LOG2), broadcast(F, T1_LOG2)));
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
      a.fma(q, v.blend(0f, v.compare(LT, 0f))).intoMemorySegment(ALL, y + i, ORDER);
    }
    return i;
  }

  static long geluQuick(long x, long y, int count) {
    long i = 0;
    for (long end = 4L * (count - count % LANES); i < end; i += BYTES) {
      FloatVector v = fromMemorySegment(F, ALL, x + i, ORDER);
      IntVector magnitude = v.reinterpretAsInts().and(Integer.MAX_VALUE);
      FloatVector a = magnitude.min(Float.floatToRawIntBits(GELU_QUICK_END)).reinterpretAsFloats();
      FloatVector y2 = a.mul(QUICK_LOG2);
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
      a.fma(q, v.blend(0f, v.compare(LT, 0f))).intoMemorySegment(ALL, y + i, ORDER);
    }
    return i;
  }

  static long silu(long x, long y, int count) {
    long i = 0;
    for (long end = 4L * (count - count % LANES); i < end; i += BYTES) {
      FloatVector v = fromMemorySegment(F, ALL, x + i, ORDER);
      IntVector magnitude = v.reinterpretAsInts().and(Integer.MAX_VALUE);
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
      a.fma(q, v.blend(0f, v.compare(LT, 0f))).intoMemorySegment(ALL, y + i, ORDER);
    }
    return i;
  }

  static long geluErfGradient(long x, long dy, long dx, int count) {
    long i = 0;
    for (long end = 4L * (count - count % LANES); i < end; i += BYTES) {
      FloatVector v = fromMemorySegment(F, ALL, x + i, ORDER);
      FloatVector magnitude = v.abs();
      FloatVector a = magnitude.blend(GELU_ERF_END, magnitude.compare(GT, GELU_ERF_END));
      FloatVector y2 = a.mul(a).mul(HALF_SQUARE);
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
      FloatVector s = a.fma(broadcast(F, S10), broadcast(F, S9));
      s = s.fma(a, broadcast(F, S8));
      s = s.fma(a, broadcast(F, S7));
      s = s.fma(a, broadcast(F, S6));
      s = s.fma(a, broadcast(F, S5));
      s = s.fma(a, broadcast(F, S4));
      s = s.fma(a, broadcast(F, S3));
      s = s.fma(a, broadcast(F, S2));
      s = s.fma(a, broadcast(F, S1));
      s = s.fma(a, broadcast(F, S0));
      FloatVector tail = e.mul(s);
      FloatVector slope = broadcast(F, 1f).sub(tail).blend(tail, v.compare(LT, 0f));
      slope.mul(fromMemorySegment(F, ALL, dy + i, ORDER)).intoMemorySegment(ALL, dx + i, ORDER);
    }
    return i;
  }

  static long geluTanhGradient(long x, long dy, long dx, int count) {
    long i = 0;
    for (long end = 4L * (count - count % LANES); i < end; i += BYTES) {
      FloatVector v = fromMemorySegment(F, ALL, x + i, ORDER);
      FloatVector magnitude = v.abs();
      FloatVector a = magnitude.blend(GELU_TANH_END, magnitude.compare(GT, GELU_TANH_END));
      FloatVector y2 = a.mul(a.mul(a).fma(broadcast(F, T3_LOG2), broadcast(F, T1_LOG2)));
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
      FloatVector av = a.mul(a.mul(a).fma(broadcast(F, 3 * T3), broadcast(F, T1)));
      FloatVector tail = e.mul(inverse).mul(av.neg().fma(inverse, broadcast(F, 1f)));
      FloatVector slope = broadcast(F, 1f).sub(tail).blend(tail, v.compare(LT, 0f));
      slope.mul(fromMemorySegment(F, ALL, dy + i, ORDER)).intoMemorySegment(ALL, dx + i, ORDER);
    }
    return i;
  }

  static long geluQuickGradient(long x, long dy, long dx, int count) {
    long i = 0;
    for (long end = 4L * (count - count % LANES); i < end; i += BYTES) {
      FloatVector v = fromMemorySegment(F, ALL, x + i, ORDER);
      FloatVector magnitude = v.abs();
      FloatVector a = magnitude.blend(GELU_QUICK_END, magnitude.compare(GT, GELU_QUICK_END));
      FloatVector y2 = a.mul(QUICK_LOG2);
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
      FloatVector av = a.mul(QUICK);
      FloatVector tail = e.mul(inverse).mul(av.neg().fma(inverse, broadcast(F, 1f)));
      FloatVector slope = broadcast(F, 1f).sub(tail).blend(tail, v.compare(LT, 0f));
      slope.mul(fromMemorySegment(F, ALL, dy + i, ORDER)).intoMemorySegment(ALL, dx + i, ORDER);
    }
    return i;
  }

  static long siluGradient(long x, long dy, long dx, int count) {
    long i = 0;
    for (long end = 4L * (count - count % LANES); i < end; i += BYTES) {
      FloatVector v = fromMemorySegment(F, ALL, x + i, ORDER);
      FloatVector magnitude = v.abs();
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
      FloatVector tail = e.mul(inverse).mul(a.neg().fma(inverse, broadcast(F, 1f)));
      FloatVector slope = broadcast(F, 1f).sub(tail).blend(tail, v.compare(LT, 0f));
      slope.mul(fromMemorySegment(F, ALL, dy + i, ORDER)).intoMemorySegment(ALL, dx + i, ORDER);
    }
    return i;
  }
}
