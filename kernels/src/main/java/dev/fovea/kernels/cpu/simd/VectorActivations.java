package dev.fovea.kernels.cpu.simd;

import static dev.fovea.kernels.cpu.simd.MathConstants.*;
import static dev.fovea.kernels.cpu.simd.VectorMaths.exp2;
import static dev.fovea.kernels.cpu.simd.VectorMaths.exp2Scaled;
import static dev.fovea.kernels.cpu.simd.VectorMaths.expInRange;
import static dev.fovea.kernels.cpu.simd.VectorMaths.most;
import static jdk.incubator.vector.FloatVector.broadcast;

import dev.fovea.kernels.Activation;
import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;
import java.util.EnumMap;
import java.util.Map;
import java.util.Objects;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link Activation} and its gradients with the Vector API. All but TANH have the form max(x, 0) - a q(a) with a = |x|,
 * and the gradient T or 1 - T (left and right of 0) with T = q + a q'(a).
 */
final class VectorActivations {
  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
  private static final int LANES = SPECIES.length();
  private static final Maths SCALAR = new ScalarMaths();

  /**
   * The loops by activation. Calls through handles that are no constants are not inlined: the limit that
   * {@link VectorMaths} tells of counts the whole compilation, and a caller, or two of these loops together, would
   * reach it.
   */
  private static final Map<Activation, MethodHandle> VALUES = new EnumMap<>(Activation.class);

  private static final Map<Activation, MethodHandle> GRADIENTS = new EnumMap<>(Activation.class);

  static {
    register(Activation.GELU_ERF, "geluErf");
    register(Activation.GELU_TANH, "geluTanh");
    register(Activation.GELU_QUICK, "geluQuick");
    register(Activation.SILU, "silu");
    GRADIENTS.put(Activation.TANH, loop("tanhGradient", 3));
  }

  private VectorActivations() {}

  private static void register(Activation f, String name) {
    VALUES.put(f, loop(name, 2));
    GRADIENTS.put(f, loop(name + "Gradient", 3));
  }

  private static MethodHandle loop(String name, int operands) {
    MethodType type = MethodType.methodType(void.class);
    for (int i = 0; i < operands; i++) {
      type = type.appendParameterTypes(float[].class, int.class);
    }
    try {
      return MethodHandles.lookup().findStatic(VectorActivations.class, name, type.appendParameterTypes(int.class));
    } catch (ReflectiveOperationException e) {
      throw new LinkageError(name, e);
    }
  }

  /** {@link Maths#activation} for all but NONE and TANH. */
  static void value(Activation f, float[] x, int xAt, float[] y, int yAt, int count) {
    try {
      Objects.requireNonNull(VALUES.get(f)).invokeExact(x, xAt, y, yAt, count);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  /** {@link Maths#activationGradient} for all but NONE. */
  static void gradient(Activation f, float[] x, int xAt, float[] dy, int dyAt, float[] dx, int dxAt, int count) {
    try {
      Objects.requireNonNull(GRADIENTS.get(f)).invokeExact(x, xAt, dy, dyAt, dx, dxAt, count);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new AssertionError(e);
    }
  }

  static void geluErf(float[] x, int xAt, float[] y, int yAt, int count) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      geluErf(FloatVector.fromArray(SPECIES, x, xAt + i)).intoArray(y, yAt + i);
    }
    if (i < count) {
      SCALAR.activation(Activation.GELU_ERF, x, xAt + i, y, yAt + i, count - i);
    }
  }

  static void geluTanh(float[] x, int xAt, float[] y, int yAt, int count) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      geluTanh(FloatVector.fromArray(SPECIES, x, xAt + i)).intoArray(y, yAt + i);
    }
    if (i < count) {
      SCALAR.activation(Activation.GELU_TANH, x, xAt + i, y, yAt + i, count - i);
    }
  }

  static void geluQuick(float[] x, int xAt, float[] y, int yAt, int count) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      geluQuick(FloatVector.fromArray(SPECIES, x, xAt + i)).intoArray(y, yAt + i);
    }
    if (i < count) {
      SCALAR.activation(Activation.GELU_QUICK, x, xAt + i, y, yAt + i, count - i);
    }
  }

  static void silu(float[] x, int xAt, float[] y, int yAt, int count) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      silu(FloatVector.fromArray(SPECIES, x, xAt + i)).intoArray(y, yAt + i);
    }
    if (i < count) {
      SCALAR.activation(Activation.SILU, x, xAt + i, y, yAt + i, count - i);
    }
  }

  static void geluErfGradient(float[] x, int xAt, float[] dy, int dyAt, float[] dx, int dxAt, int count) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      FloatVector slope = geluErfSlope(FloatVector.fromArray(SPECIES, x, xAt + i));
      slope.mul(FloatVector.fromArray(SPECIES, dy, dyAt + i)).intoArray(dx, dxAt + i);
    }
    if (i < count) {
      SCALAR.activationGradient(Activation.GELU_ERF, x, xAt + i, dy, dyAt + i, dx, dxAt + i, count - i);
    }
  }

  static void geluTanhGradient(float[] x, int xAt, float[] dy, int dyAt, float[] dx, int dxAt, int count) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      FloatVector slope = geluTanhSlope(FloatVector.fromArray(SPECIES, x, xAt + i));
      slope.mul(FloatVector.fromArray(SPECIES, dy, dyAt + i)).intoArray(dx, dxAt + i);
    }
    if (i < count) {
      SCALAR.activationGradient(Activation.GELU_TANH, x, xAt + i, dy, dyAt + i, dx, dxAt + i, count - i);
    }
  }

  static void geluQuickGradient(float[] x, int xAt, float[] dy, int dyAt, float[] dx, int dxAt, int count) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      FloatVector slope = geluQuickSlope(FloatVector.fromArray(SPECIES, x, xAt + i));
      slope.mul(FloatVector.fromArray(SPECIES, dy, dyAt + i)).intoArray(dx, dxAt + i);
    }
    if (i < count) {
      SCALAR.activationGradient(Activation.GELU_QUICK, x, xAt + i, dy, dyAt + i, dx, dxAt + i, count - i);
    }
  }

  static void siluGradient(float[] x, int xAt, float[] dy, int dyAt, float[] dx, int dxAt, int count) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      FloatVector slope = siluSlope(FloatVector.fromArray(SPECIES, x, xAt + i));
      slope.mul(FloatVector.fromArray(SPECIES, dy, dyAt + i)).intoArray(dx, dxAt + i);
    }
    if (i < count) {
      SCALAR.activationGradient(Activation.SILU, x, xAt + i, dy, dyAt + i, dx, dxAt + i, count - i);
    }
  }

  static void tanhGradient(float[] x, int xAt, float[] dy, int dyAt, float[] dx, int dxAt, int count) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      FloatVector slope = tanhSlope(FloatVector.fromArray(SPECIES, x, xAt + i));
      slope.mul(FloatVector.fromArray(SPECIES, dy, dyAt + i)).intoArray(dx, dxAt + i);
    }
    if (i < count) {
      SCALAR.activationGradient(Activation.TANH, x, xAt + i, dy, dyAt + i, dx, dxAt + i, count - i);
    }
  }

  /** All is written out here, against the limit that VectorMaths tells of. */
  static FloatVector geluErf(FloatVector x) {
    FloatVector a = magnitude(x, TAIL_END);
    FloatVector h = a.mul(TAIL_H);
    FloatVector y2 = a.mul(h);
    FloatVector t = y2.add(TAIL_ROUND);
    FloatVector r = y2.sub(t.sub(TAIL_ROUND));
    FloatVector p = r.fma(broadcast(SPECIES, TAIL_X5), broadcast(SPECIES, TAIL_X4));
    p = p.fma(r, broadcast(SPECIES, TAIL_X3));
    p = p.fma(r, broadcast(SPECIES, TAIL_X2));
    p = p.fma(r, broadcast(SPECIES, TAIL_X1));
    p = p.fma(r, broadcast(SPECIES, TAIL_X0));
    p = p.fma(r, broadcast(SPECIES, TAIL_X));
    IntVector bits = p.reinterpretAsInts().add(t.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23));
    FloatVector e = bits.reinterpretAsFloats();
    FloatVector n = a.add(TAIL_N1).fma(a, broadcast(SPECIES, TAIL_N0)).mul(h.add(TAIL_NH));
    FloatVector d = a.add(TAIL_D3).fma(a, broadcast(SPECIES, TAIL_D2));
    d = d.fma(a, broadcast(SPECIES, TAIL_D1));
    d = d.fma(a, broadcast(SPECIES, TAIL_D0));
    FloatVector q = e.mul(n.div(d));
    return a.fma(q, x.blend(0f, x.compare(VectorOperators.LT, 0f)));
  }

  static FloatVector geluTanh(FloatVector x) {
    FloatVector a = magnitude(x, GELU_TANH_END);
    FloatVector q = sigmoidTail(a.mul(a.mul(a).fma(broadcast(SPECIES, T3_LOG2), broadcast(SPECIES, T1_LOG2))));
    return a.fma(q, x.blend(0f, x.compare(VectorOperators.LT, 0f)));
  }

  static FloatVector geluQuick(FloatVector x) {
    FloatVector a = magnitude(x, GELU_QUICK_END);
    FloatVector q = sigmoidTail(a.mul(QUICK_LOG2));
    return a.fma(q, x.blend(0f, x.compare(VectorOperators.LT, 0f)));
  }

  static FloatVector silu(FloatVector x) {
    FloatVector a = magnitude(x, SILU_END);
    FloatVector q = sigmoidTail(a.mul(-LOG2_E));
    return a.fma(q, x.blend(0f, x.compare(VectorOperators.LT, 0f)));
  }

  static FloatVector geluErfSlope(FloatVector x) {
    FloatVector a = most(x.abs(), GELU_ERF_END);
    FloatVector density = exp2Scaled(a.mul(a).mul(HALF_SQUARE));
    FloatVector s = a.fma(broadcast(SPECIES, S10), broadcast(SPECIES, S9));
    s = s.fma(a, broadcast(SPECIES, S8));
    s = s.fma(a, broadcast(SPECIES, S7));
    s = s.fma(a, broadcast(SPECIES, S6));
    s = s.fma(a, broadcast(SPECIES, S5));
    s = s.fma(a, broadcast(SPECIES, S4));
    s = s.fma(a, broadcast(SPECIES, S3));
    s = s.fma(a, broadcast(SPECIES, S2));
    s = s.fma(a, broadcast(SPECIES, S1));
    s = s.fma(a, broadcast(SPECIES, S0));
    FloatVector t = density.mul(s);
    return broadcast(SPECIES, 1f).sub(t).blend(t, x.compare(VectorOperators.LT, 0f));
  }

  static FloatVector geluTanhSlope(FloatVector x) {
    FloatVector a = most(x.abs(), GELU_TANH_END);
    FloatVector square = a.mul(a);
    FloatVector y = a.mul(square.fma(broadcast(SPECIES, T3_LOG2), broadcast(SPECIES, T1_LOG2)));
    FloatVector t = sigmoidTailSlope(y, a.mul(square.fma(broadcast(SPECIES, 3 * T3), broadcast(SPECIES, T1))));
    return broadcast(SPECIES, 1f).sub(t).blend(t, x.compare(VectorOperators.LT, 0f));
  }

  static FloatVector geluQuickSlope(FloatVector x) {
    FloatVector a = most(x.abs(), GELU_QUICK_END);
    FloatVector t = sigmoidTailSlope(a.mul(QUICK_LOG2), a.mul(QUICK));
    return broadcast(SPECIES, 1f).sub(t).blend(t, x.compare(VectorOperators.LT, 0f));
  }

  static FloatVector siluSlope(FloatVector x) {
    FloatVector a = most(x.abs(), SILU_END);
    FloatVector t = sigmoidTailSlope(a.mul(-LOG2_E), a);
    return broadcast(SPECIES, 1f).sub(t).blend(t, x.compare(VectorOperators.LT, 0f));
  }

  /** 4 e / (1 + e)^2 with e = e^(-2 |x|). */
  static FloatVector tanhSlope(FloatVector x) {
    FloatVector e = expInRange(most(x.abs(), TANH_GRADIENT_END).mul(-2f));
    FloatVector d = e.add(1f);
    return e.mul(4f).div(d.mul(d));
  }

  /** min(|x|, limit), also for NaN: {@code fma(a, q, x)} is NaN anyway. Integers are compared off the FMA units. */
  private static FloatVector magnitude(FloatVector x, float limit) {
    IntVector bits = x.reinterpretAsInts().and(Integer.MAX_VALUE);
    return bits.min(Float.floatToRawIntBits(limit)).reinterpretAsFloats();
  }

  /** -sigmoid(-v), where e^-v = 2^y with y from -221 to 0. */
  private static FloatVector sigmoidTail(FloatVector y) {
    FloatVector e = exp2Scaled(y);
    return e.div(broadcast(SPECIES, -0x1p96f).sub(e));
  }

  /** q + a q'(a) of q = sigmoid(-v(a)), where e^-v = 2^y, given {@code av} = a v'(a). */
  private static FloatVector sigmoidTailSlope(FloatVector y, FloatVector av) {
    FloatVector e = exp2(y);
    FloatVector inverse = broadcast(SPECIES, 1f).div(e.add(1f));
    return e.mul(inverse).mul(av.neg().fma(inverse, broadcast(SPECIES, 1f)));
  }
}
