package dev.fovea.kernels.cpu.simd;

import static dev.fovea.kernels.cpu.simd.MathConstants.*;
import static dev.fovea.kernels.cpu.simd.VectorMaths.all;
import static dev.fovea.kernels.cpu.simd.VectorMaths.expInRange;
import static dev.fovea.kernels.cpu.simd.VectorMaths.most;
import static dev.fovea.kernels.cpu.simd.VectorMaths.tailRatio;

import dev.fovea.kernels.Activation;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link Activation} and its gradients with the Vector API. All but TANH have the form max(x, 0) - a q(a) with a = |x|,
 * and the gradient T or 1 - T (left and right of 0) with T = q + a q'(a).
 */
final class VectorActivations {
  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
  private static final int LANES = SPECIES.length();

  private VectorActivations() {}

  static void geluErf(float[] x, int xAt, float[] y, int yAt, int count) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      geluErf(FloatVector.fromArray(SPECIES, x, xAt + i)).intoArray(y, yAt + i);
    }
    if (i < count) {
      var in = SPECIES.indexInRange(i, count);
      geluErf(FloatVector.fromArray(SPECIES, x, xAt + i, in)).intoArray(y, yAt + i, in);
    }
  }

  static void geluTanh(float[] x, int xAt, float[] y, int yAt, int count) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      geluTanh(FloatVector.fromArray(SPECIES, x, xAt + i)).intoArray(y, yAt + i);
    }
    if (i < count) {
      var in = SPECIES.indexInRange(i, count);
      geluTanh(FloatVector.fromArray(SPECIES, x, xAt + i, in)).intoArray(y, yAt + i, in);
    }
  }

  static void geluQuick(float[] x, int xAt, float[] y, int yAt, int count) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      geluQuick(FloatVector.fromArray(SPECIES, x, xAt + i)).intoArray(y, yAt + i);
    }
    if (i < count) {
      var in = SPECIES.indexInRange(i, count);
      geluQuick(FloatVector.fromArray(SPECIES, x, xAt + i, in)).intoArray(y, yAt + i, in);
    }
  }

  static void silu(float[] x, int xAt, float[] y, int yAt, int count) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      silu(FloatVector.fromArray(SPECIES, x, xAt + i)).intoArray(y, yAt + i);
    }
    if (i < count) {
      var in = SPECIES.indexInRange(i, count);
      silu(FloatVector.fromArray(SPECIES, x, xAt + i, in)).intoArray(y, yAt + i, in);
    }
  }

  static void geluErfGradient(float[] x, int xAt, float[] dy, int dyAt, float[] dx, int dxAt, int count) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      FloatVector slope = geluErfSlope(FloatVector.fromArray(SPECIES, x, xAt + i));
      slope.mul(FloatVector.fromArray(SPECIES, dy, dyAt + i)).intoArray(dx, dxAt + i);
    }
    if (i < count) {
      var in = SPECIES.indexInRange(i, count);
      FloatVector slope = geluErfSlope(FloatVector.fromArray(SPECIES, x, xAt + i, in));
      slope.mul(FloatVector.fromArray(SPECIES, dy, dyAt + i, in)).intoArray(dx, dxAt + i, in);
    }
  }

  static void geluTanhGradient(float[] x, int xAt, float[] dy, int dyAt, float[] dx, int dxAt, int count) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      FloatVector slope = geluTanhSlope(FloatVector.fromArray(SPECIES, x, xAt + i));
      slope.mul(FloatVector.fromArray(SPECIES, dy, dyAt + i)).intoArray(dx, dxAt + i);
    }
    if (i < count) {
      var in = SPECIES.indexInRange(i, count);
      FloatVector slope = geluTanhSlope(FloatVector.fromArray(SPECIES, x, xAt + i, in));
      slope.mul(FloatVector.fromArray(SPECIES, dy, dyAt + i, in)).intoArray(dx, dxAt + i, in);
    }
  }

  static void geluQuickGradient(float[] x, int xAt, float[] dy, int dyAt, float[] dx, int dxAt, int count) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      FloatVector slope = geluQuickSlope(FloatVector.fromArray(SPECIES, x, xAt + i));
      slope.mul(FloatVector.fromArray(SPECIES, dy, dyAt + i)).intoArray(dx, dxAt + i);
    }
    if (i < count) {
      var in = SPECIES.indexInRange(i, count);
      FloatVector slope = geluQuickSlope(FloatVector.fromArray(SPECIES, x, xAt + i, in));
      slope.mul(FloatVector.fromArray(SPECIES, dy, dyAt + i, in)).intoArray(dx, dxAt + i, in);
    }
  }

  static void siluGradient(float[] x, int xAt, float[] dy, int dyAt, float[] dx, int dxAt, int count) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      FloatVector slope = siluSlope(FloatVector.fromArray(SPECIES, x, xAt + i));
      slope.mul(FloatVector.fromArray(SPECIES, dy, dyAt + i)).intoArray(dx, dxAt + i);
    }
    if (i < count) {
      var in = SPECIES.indexInRange(i, count);
      FloatVector slope = siluSlope(FloatVector.fromArray(SPECIES, x, xAt + i, in));
      slope.mul(FloatVector.fromArray(SPECIES, dy, dyAt + i, in)).intoArray(dx, dxAt + i, in);
    }
  }

  static void tanhGradient(float[] x, int xAt, float[] dy, int dyAt, float[] dx, int dxAt, int count) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      FloatVector slope = tanhSlope(FloatVector.fromArray(SPECIES, x, xAt + i));
      slope.mul(FloatVector.fromArray(SPECIES, dy, dyAt + i)).intoArray(dx, dxAt + i);
    }
    if (i < count) {
      var in = SPECIES.indexInRange(i, count);
      FloatVector slope = tanhSlope(FloatVector.fromArray(SPECIES, x, xAt + i, in));
      slope.mul(FloatVector.fromArray(SPECIES, dy, dyAt + i, in)).intoArray(dx, dxAt + i, in);
    }
  }

  static FloatVector geluErf(FloatVector x) {
    FloatVector a = most(x.abs(), GELU_ERF_END);
    return joined(x, a, density(a).mul(tailRatio(a)));
  }

  static FloatVector geluTanh(FloatVector x) {
    FloatVector a = most(x.abs(), GELU_TANH_END);
    return joined(x, a, sigmoidTail(a.mul(a.mul(a).fma(all(T3), all(T1)))));
  }

  static FloatVector geluQuick(FloatVector x) {
    FloatVector a = most(x.abs(), GELU_QUICK_END);
    return joined(x, a, sigmoidTail(a.mul(QUICK)));
  }

  static FloatVector silu(FloatVector x) {
    FloatVector a = most(x.abs(), SILU_END);
    return joined(x, a, sigmoidTail(a));
  }

  static FloatVector geluErfSlope(FloatVector x) {
    FloatVector a = most(x.abs(), GELU_ERF_END);
    return sided(x, density(a).mul(a.fma(all(-DENSITY_0), tailRatio(a))));
  }

  static FloatVector geluTanhSlope(FloatVector x) {
    FloatVector a = most(x.abs(), GELU_TANH_END);
    FloatVector square = a.mul(a);
    FloatVector v = a.mul(square.fma(all(T3), all(T1)));
    return sided(x, sigmoidTailSlope(v, a.mul(square.fma(all(3 * T3), all(T1)))));
  }

  static FloatVector geluQuickSlope(FloatVector x) {
    FloatVector v = most(x.abs(), GELU_QUICK_END).mul(QUICK);
    return sided(x, sigmoidTailSlope(v, v));
  }

  static FloatVector siluSlope(FloatVector x) {
    FloatVector a = most(x.abs(), SILU_END);
    return sided(x, sigmoidTailSlope(a, a));
  }

  /** 4 e / (1 + e)^2 with e = e^(-2 |x|). */
  static FloatVector tanhSlope(FloatVector x) {
    FloatVector e = expInRange(most(x.abs(), TANH_GRADIENT_END).mul(-2f));
    FloatVector d = e.add(1f);
    return e.mul(4f).div(d.mul(d));
  }

  /** e^(-a^2 / 2), with the rounding error of the square put back. */
  private static FloatVector density(FloatVector a) {
    FloatVector square = a.mul(a);
    return expInRange(square.mul(-0.5f), a.neg().fma(a, square).mul(0.5f));
  }

  /** sigmoid(-v) for v from 0 to 174. */
  private static FloatVector sigmoidTail(FloatVector v) {
    FloatVector e = expInRange(v.neg());
    return e.div(e.add(1f));
  }

  /** q + a q'(a) of q = sigmoid(-v(a)), given {@code av} = a v'(a). */
  private static FloatVector sigmoidTailSlope(FloatVector v, FloatVector av) {
    FloatVector e = expInRange(v.neg());
    FloatVector inverse = all(1f).div(e.add(1f));
    return e.mul(inverse).mul(av.neg().fma(inverse, all(1f)));
  }

  /** max(x, 0) - a q. */
  private static FloatVector joined(FloatVector x, FloatVector a, FloatVector q) {
    return a.neg().fma(q, x.blend(0f, x.compare(VectorOperators.LT, 0f)));
  }

  /** T left of 0, 1 - T right of it. */
  private static FloatVector sided(FloatVector x, FloatVector t) {
    return all(1f).sub(t).blend(t, x.compare(VectorOperators.LT, 0f));
  }
}
