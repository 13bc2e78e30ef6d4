package dev.fovea.kernels.cpu.simd;

import static dev.fovea.kernels.cpu.simd.MathConstants.*;

import dev.fovea.kernels.Activation;

/** {@link Maths} in plain Java: {@link VectorMaths} operation by operation. */
final class ScalarMaths implements Maths {
  @Override
  public void exp(float[] x, int xAt, float[] y, int yAt, int count) {
    for (int i = 0; i < count; i++) {
      y[yAt + i] = exp(x[xAt + i]);
    }
  }

  @Override
  public void log(float[] x, int xAt, float[] y, int yAt, int count) {
    for (int i = 0; i < count; i++) {
      y[yAt + i] = log(x[xAt + i]);
    }
  }

  @Override
  public void tanh(float[] x, int xAt, float[] y, int yAt, int count) {
    for (int i = 0; i < count; i++) {
      y[yAt + i] = tanh(x[xAt + i]);
    }
  }

  @Override
  public void erf(float[] x, int xAt, float[] y, int yAt, int count) {
    for (int i = 0; i < count; i++) {
      y[yAt + i] = erf(x[xAt + i]);
    }
  }

  @Override
  public void sigmoid(float[] x, int xAt, float[] y, int yAt, int count) {
    for (int i = 0; i < count; i++) {
      y[yAt + i] = sigmoid(x[xAt + i]);
    }
  }

  @Override
  public void activation(Activation f, float[] x, int xAt, float[] y, int yAt, int count) {
    if (f == Activation.NONE) {
      System.arraycopy(x, xAt, y, yAt, count);
      return;
    }
    for (int i = 0; i < count; i++) {
      y[yAt + i] = ScalarActivations.value(f, x[xAt + i]);
    }
  }

  @Override
  public void activationGradient(
      Activation f, float[] x, int xAt, float[] dy, int dyAt, float[] dx, int dxAt, int count) {
    if (f == Activation.NONE) {
      System.arraycopy(dy, dyAt, dx, dxAt, count);
      return;
    }
    for (int i = 0; i < count; i++) {
      dx[dxAt + i] = ScalarActivations.slope(f, x[xAt + i]) * dy[dyAt + i];
    }
  }

  static float exp(float x) {
    return x > EXP_HIGH ? Float.POSITIVE_INFINITY : x < EXP_LOW ? 0f : expInRange(x);
  }

  static float expInRange(float x) {
    float t = Math.fma(x, LOG2_E, ROUND);
    return powerOf2(exp1(rest(t, x)), t);
  }

  static float exp2(float y) {
    return exp2Scaled(y) * 0x1p-96f;
  }

  /** 2^(y + 96). */
  static float exp2Scaled(float y) {
    float t = y + ROUND_96;
    float r = y - (t - ROUND_96);
    float p = Math.fma(r, X5, X4);
    p = Math.fma(p, r, X3);
    p = Math.fma(p, r, X2);
    p = Math.fma(p, r, X1);
    p = Math.fma(p, r, X0);
    p = Math.fma(p, r, 1f);
    return Float.intBitsToFloat(Float.floatToRawIntBits(p) + (Float.floatToRawIntBits(t) << 23));
  }

  static float expInRange(float x, float low) {
    float t = Math.fma(x, LOG2_E, ROUND);
    return powerOf2(exp1(rest(t, x) + low), t);
  }

  static float expFlushed(float x) {
    float t = Math.fma(x, LOG2_E, ROUND);
    int shift = Float.floatToRawIntBits(t) << 23;
    return x < EXP_NORMAL ? 0f : Float.intBitsToFloat(Float.floatToRawIntBits(exp1(rest(t, x))) + shift);
  }

  private static float rest(float t, float x) {
    float n = t - ROUND;
    return Math.fma(n, -LN2_LOW, Math.fma(n, -LN2_HIGH, x));
  }

  private static float exp1(float r) {
    float p = Math.fma(r, E4, E3);
    p = Math.fma(p, r, E2);
    p = Math.fma(p, r, E1);
    p = Math.fma(p, r, E0);
    p = Math.fma(p, r, 1f);
    return Math.fma(p, r, 1f);
  }

  private static float powerOf2(float p, float t) {
    int n = Float.floatToRawIntBits(t);
    int half = n >>> 1;
    float first = Float.intBitsToFloat((half << 23) + ONE_BITS);
    float second = Float.intBitsToFloat((n - half << 23) + ONE_BITS);
    return p * first * second;
  }

  static float log(float x) {
    if (!(x > 0 && x < Float.POSITIVE_INFINITY)) {
      return x == 0 ? Float.NEGATIVE_INFINITY : x < 0 ? Float.NaN : x;
    }
    boolean tiny = x < Float.MIN_NORMAL;
    int bits = Float.floatToRawIntBits(tiny ? x * 0x1p23f : x);
    int e = bits - SQRT_HALF_BITS >> 23;
    float f = Float.intBitsToFloat(bits - (e << 23)) - 1f;
    float n = tiny ? e - 23 : e;
    float p = Math.fma(f, L7, L6);
    p = Math.fma(p, f, L5);
    p = Math.fma(p, f, L4);
    p = Math.fma(p, f, L3);
    p = Math.fma(p, f, L2);
    p = Math.fma(p, f, L1);
    p = Math.fma(p, f, L0);
    p = Math.fma(p, f, -0.5f);
    return Math.fma(n, LN2_HIGH, Math.fma(f * f, p, n * LN2_LOW) + f);
  }

  static float tanh(float x) {
    float a = most(Math.abs(x), TANH_ONE);
    boolean far = a > TANH_SPLIT;
    float y = a * -2f;
    float t = Math.fma(y, LOG2_E, ROUND);
    float r = rest(t, y);
    float p = Math.fma(r, E4, E3);
    p = Math.fma(p, r, E2);
    p = Math.fma(p, r, E1);
    p = Math.fma(p, r, E0);
    p = Math.fma(r * r, p, r);
    float scale = Float.intBitsToFloat((Float.floatToRawIntBits(t) << 23) + ONE_BITS);
    float m = Math.fma(scale, p, scale - 1f);
    float e = Math.fma(scale, p, scale);
    return withSign((far ? 1f : 0f) + (far ? e * -2f : -m) / (e + 1f), x);
  }

  static float erf(float x) {
    float a = Math.abs(x);
    if (a < ERF_SPLIT) {
      float s = a * a;
      float p = Math.fma(s, F6, F5);
      p = Math.fma(p, s, F4);
      p = Math.fma(p, s, F3);
      p = Math.fma(p, s, F2);
      p = Math.fma(p, s, F1);
      p = Math.fma(p, s, F0);
      return withSign(Math.fma(a, p, a), x);
    }
    float b = most(a, ERF_ONE);
    float square = b * b;
    float e = expInRange(-square, Math.fma(-b, b, square));
    return withSign(Math.fma(e * -2f, tailRatio(b * SQRT_2), 1f), x);
  }

  static float sigmoid(float x) {
    float e = expInRange(-most(Math.abs(x), SILU_END));
    return (x < 0 ? e : 1f) / (e + 1f);
  }

  static float tailRatio(float a) {
    float n = Math.fma(a, N3, N2);
    float d = Math.fma(a, D4, D3);
    n = Math.fma(n, a, N1);
    d = Math.fma(d, a, D2);
    n = Math.fma(n, a, N0);
    d = Math.fma(d, a, D1);
    return n / Math.fma(d, a, 1f);
  }

  static float most(float a, float limit) {
    return a > limit ? limit : a;
  }

  private static float withSign(float value, float x) {
    return Float.intBitsToFloat(Float.floatToRawIntBits(value) | Float.floatToRawIntBits(x) & SIGN_BIT);
  }
}
