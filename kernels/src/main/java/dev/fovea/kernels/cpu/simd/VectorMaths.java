package dev.fovea.kernels.cpu.simd;

import static dev.fovea.kernels.cpu.simd.MathConstants.*;
import static jdk.incubator.vector.FloatVector.broadcast;

import dev.fovea.kernels.Activation;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link Maths} with the Vector API. The static functions on vectors are for the other loops of this package.
 *
 * <p>C2 stops inlining methods outside the JDK once a compilation has 18,000 nodes, some 75 calls of the Vector API:
 * from there on every vector is boxed, ten times slower. So a loop inlines one function of this class (exp is the half
 * of that), has no second copy of its body for the tail, and the longest functions make their calls of other functions
 * first, well before the limit: a caller that inlines the loop brings nodes of its own.
 */
final class VectorMaths implements Maths {
  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
  private static final int LANES = SPECIES.length();
  private static final Maths SCALAR = new ScalarMaths();

  @Override
  public void exp(float[] x, int xAt, float[] y, int yAt, int count) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      exp(FloatVector.fromArray(SPECIES, x, xAt + i)).intoArray(y, yAt + i);
    }
    if (i < count) {
      SCALAR.exp(x, xAt + i, y, yAt + i, count - i);
    }
  }

  @Override
  public void log(float[] x, int xAt, float[] y, int yAt, int count) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      log(FloatVector.fromArray(SPECIES, x, xAt + i)).intoArray(y, yAt + i);
    }
    if (i < count) {
      SCALAR.log(x, xAt + i, y, yAt + i, count - i);
    }
  }

  @Override
  public void tanh(float[] x, int xAt, float[] y, int yAt, int count) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      tanh(FloatVector.fromArray(SPECIES, x, xAt + i)).intoArray(y, yAt + i);
    }
    if (i < count) {
      SCALAR.tanh(x, xAt + i, y, yAt + i, count - i);
    }
  }

  @Override
  public void erf(float[] x, int xAt, float[] y, int yAt, int count) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      erf(FloatVector.fromArray(SPECIES, x, xAt + i)).intoArray(y, yAt + i);
    }
    if (i < count) {
      SCALAR.erf(x, xAt + i, y, yAt + i, count - i);
    }
  }

  @Override
  public void sigmoid(float[] x, int xAt, float[] y, int yAt, int count) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      sigmoid(FloatVector.fromArray(SPECIES, x, xAt + i)).intoArray(y, yAt + i);
    }
    if (i < count) {
      SCALAR.sigmoid(x, xAt + i, y, yAt + i, count - i);
    }
  }

  @Override
  public void activation(Activation f, float[] x, int xAt, float[] y, int yAt, int count) {
    switch (f) {
      case NONE -> System.arraycopy(x, xAt, y, yAt, count);
      case TANH -> tanh(x, xAt, y, yAt, count);
      default -> VectorActivations.value(f, x, xAt, y, yAt, count);
    }
  }

  @Override
  public void activationGradient(
      Activation f, float[] x, int xAt, float[] dy, int dyAt, float[] dx, int dxAt, int count) {
    if (f == Activation.NONE) {
      System.arraycopy(dy, dyAt, dx, dxAt, count);
    } else {
      VectorActivations.gradient(f, x, xAt, dy, dyAt, dx, dxAt, count);
    }
  }

  /** e^x for any x: see {@link Maths#exp}. */
  static FloatVector exp(FloatVector x) {
    FloatVector y = expInRange(x);
    y = y.blend(Float.POSITIVE_INFINITY, x.compare(VectorOperators.GT, EXP_HIGH));
    return y.blend(0f, x.compare(VectorOperators.LT, EXP_LOW));
  }

  /** e^x for x from -174 to 89, or NaN. */
  static FloatVector expInRange(FloatVector x) {
    FloatVector t = x.fma(broadcast(SPECIES, LOG2_E), broadcast(SPECIES, ROUND));
    return powerOf2(exp1(rest(t, x)), t);
  }

  /** e^(x + low) for x from -174 to 89 and low within an ulp of x, or NaN. */
  static FloatVector expInRange(FloatVector x, FloatVector low) {
    FloatVector t = x.fma(broadcast(SPECIES, LOG2_E), broadcast(SPECIES, ROUND));
    return powerOf2(exp1(rest(t, x).add(low)), t);
  }

  /**
   * 2^y for y from -221 to 0, or NaN: the error is that of y and an ulp. What lies below is for the caller to keep out.
   */
  static FloatVector exp2(FloatVector y) {
    return exp2Scaled(y).mul(0x1p-96f);
  }

  /** 2^(y + 96), for who can take that factor back without a multiplication. */
  static FloatVector exp2Scaled(FloatVector y) {
    FloatVector t = y.add(ROUND_96);
    FloatVector r = y.sub(t.sub(ROUND_96));
    FloatVector p = r.fma(broadcast(SPECIES, X5), broadcast(SPECIES, X4));
    p = p.fma(r, broadcast(SPECIES, X3));
    p = p.fma(r, broadcast(SPECIES, X2));
    p = p.fma(r, broadcast(SPECIES, X1));
    p = p.fma(r, broadcast(SPECIES, X0));
    p = p.fma(r, broadcast(SPECIES, 1f));
    IntVector shift = t.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23);
    return p.reinterpretAsInts().add(shift).reinterpretAsFloats();
  }

  /** As {@link #exp} up to 88.7, in fewer steps: 0 where that is below the smallest normal number; NaN stays. */
  static FloatVector expFlushed(FloatVector x) {
    FloatVector t = x.fma(broadcast(SPECIES, LOG2_E), broadcast(SPECIES, ROUND));
    IntVector shift = t.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23);
    FloatVector y = exp1(rest(t, x)).reinterpretAsInts().add(shift).reinterpretAsFloats();
    return y.blend(0f, x.compare(VectorOperators.LT, EXP_NORMAL));
  }

  /** x - n ln 2, where t = n + ROUND. */
  private static FloatVector rest(FloatVector t, FloatVector x) {
    FloatVector n = t.sub(ROUND);
    return n.fma(broadcast(SPECIES, -LN2_LOW), n.fma(broadcast(SPECIES, -LN2_HIGH), x));
  }

  private static FloatVector exp1(FloatVector r) {
    FloatVector p = r.fma(broadcast(SPECIES, E4), broadcast(SPECIES, E3));
    p = p.fma(r, broadcast(SPECIES, E2));
    p = p.fma(r, broadcast(SPECIES, E1));
    p = p.fma(r, broadcast(SPECIES, E0));
    p = p.fma(r, broadcast(SPECIES, 1f));
    return p.fma(r, broadcast(SPECIES, 1f));
  }

  /** p 2^n, where t = n + ROUND: in two steps, of which only the second can round. */
  private static FloatVector powerOf2(FloatVector p, FloatVector t) {
    IntVector n = t.reinterpretAsInts();
    IntVector half = n.lanewise(VectorOperators.LSHR, 1);
    FloatVector first = half.lanewise(VectorOperators.LSHL, 23).add(ONE_BITS).reinterpretAsFloats();
    FloatVector second =
        n.sub(half).lanewise(VectorOperators.LSHL, 23).add(ONE_BITS).reinterpretAsFloats();
    return p.mul(first).mul(second);
  }

  static FloatVector log(FloatVector x) {
    var tiny = x.compare(VectorOperators.LT, Float.MIN_NORMAL);
    IntVector bits = x.blend(x.mul(0x1p23f), tiny).reinterpretAsInts();
    IntVector e = bits.sub(SQRT_HALF_BITS).lanewise(VectorOperators.ASHR, 23);
    FloatVector f =
        bits.sub(e.lanewise(VectorOperators.LSHL, 23)).reinterpretAsFloats().sub(1f);
    FloatVector n = e.add(Float.floatToRawIntBits(ROUND)).reinterpretAsFloats().sub(ROUND);
    n = n.blend(n.sub(23f), tiny);
    FloatVector y = f.mul(f).fma(log1(f), n.mul(LN2_LOW)).add(f);
    y = n.fma(broadcast(SPECIES, LN2_HIGH), y);
    y = x.blend(y, x.compare(VectorOperators.LT, Float.POSITIVE_INFINITY));
    y = y.blend(Float.NEGATIVE_INFINITY, x.compare(VectorOperators.EQ, 0f));
    return y.blend(Float.NaN, x.compare(VectorOperators.LT, 0f));
  }

  /** (ln(1 + f) - f) / f^2. */
  private static FloatVector log1(FloatVector f) {
    FloatVector p = f.fma(broadcast(SPECIES, L7), broadcast(SPECIES, L6));
    p = p.fma(f, broadcast(SPECIES, L5));
    p = p.fma(f, broadcast(SPECIES, L4));
    p = p.fma(f, broadcast(SPECIES, L3));
    p = p.fma(f, broadcast(SPECIES, L2));
    p = p.fma(f, broadcast(SPECIES, L1));
    p = p.fma(f, broadcast(SPECIES, L0));
    return p.fma(f, broadcast(SPECIES, -0.5f));
  }

  /**
   * With e = e^(-2 |x|): -m / (m + 2) near 0, where m = e - 1 is found without cancellation, and 1 - 2 e / (1 + e) far
   * from it.
   */
  static FloatVector tanh(FloatVector x) {
    FloatVector a = most(x.abs(), TANH_ONE);
    var far = a.compare(VectorOperators.GT, TANH_SPLIT);
    FloatVector y = a.mul(-2f);
    FloatVector t = y.fma(broadcast(SPECIES, LOG2_E), broadcast(SPECIES, ROUND));
    FloatVector r = rest(t, y);
    FloatVector p = r.fma(broadcast(SPECIES, E4), broadcast(SPECIES, E3));
    p = p.fma(r, broadcast(SPECIES, E2));
    p = p.fma(r, broadcast(SPECIES, E1));
    p = p.fma(r, broadcast(SPECIES, E0));
    p = r.mul(r).fma(p, r);
    FloatVector scale =
        t.reinterpretAsInts().lanewise(VectorOperators.LSHL, 23).add(ONE_BITS).reinterpretAsFloats();
    FloatVector m = scale.fma(p, scale.sub(1f));
    FloatVector e = scale.fma(p, scale);
    FloatVector quotient = m.neg().blend(e.mul(-2f), far).div(e.add(1f));
    FloatVector value = broadcast(SPECIES, 0f).blend(1f, far).add(quotient);
    IntVector sign = x.reinterpretAsInts().and(SIGN_BIT);
    return value.reinterpretAsInts().or(sign).reinterpretAsFloats();
  }

  static FloatVector erf(FloatVector x) {
    FloatVector a = x.abs();
    FloatVector b = most(a, ERF_ONE);
    FloatVector square = b.mul(b);
    FloatVector e = expInRange(square.neg(), b.neg().fma(b, square));
    FloatVector far = e.mul(-2f).fma(tailRatio(b.mul(SQRT_2)), broadcast(SPECIES, 1f));
    FloatVector s = a.mul(a);
    FloatVector p = s.fma(broadcast(SPECIES, F6), broadcast(SPECIES, F5));
    p = p.fma(s, broadcast(SPECIES, F4));
    p = p.fma(s, broadcast(SPECIES, F3));
    p = p.fma(s, broadcast(SPECIES, F2));
    p = p.fma(s, broadcast(SPECIES, F1));
    p = p.fma(s, broadcast(SPECIES, F0));
    FloatVector y = far.blend(a.fma(p, a), a.compare(VectorOperators.LT, ERF_SPLIT));
    IntVector sign = x.reinterpretAsInts().and(SIGN_BIT);
    return y.reinterpretAsInts().or(sign).reinterpretAsFloats();
  }

  static FloatVector sigmoid(FloatVector x) {
    FloatVector e = expInRange(most(x.abs(), SILU_END).neg());
    return broadcast(SPECIES, 1f).blend(e, x.compare(VectorOperators.LT, 0f)).div(e.add(1f));
  }

  /** N(a) / D(a): see {@link MathConstants#N0}. */
  static FloatVector tailRatio(FloatVector a) {
    FloatVector n = a.fma(broadcast(SPECIES, N3), broadcast(SPECIES, N2));
    FloatVector d = a.fma(broadcast(SPECIES, D4), broadcast(SPECIES, D3));
    n = n.fma(a, broadcast(SPECIES, N1));
    d = d.fma(a, broadcast(SPECIES, D2));
    n = n.fma(a, broadcast(SPECIES, N0));
    d = d.fma(a, broadcast(SPECIES, D1));
    return n.div(d.fma(a, broadcast(SPECIES, 1f)));
  }

  /** min(a, limit); NaN stays. */
  static FloatVector most(FloatVector a, float limit) {
    return a.blend(limit, a.compare(VectorOperators.GT, limit));
  }
}
