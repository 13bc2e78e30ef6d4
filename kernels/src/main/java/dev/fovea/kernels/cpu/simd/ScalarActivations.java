package dev.fovea.kernels.cpu.simd;

import static dev.fovea.kernels.cpu.simd.MathConstants.*;
import static dev.fovea.kernels.cpu.simd.ScalarMaths.exp2;
import static dev.fovea.kernels.cpu.simd.ScalarMaths.exp2Scaled;
import static dev.fovea.kernels.cpu.simd.ScalarMaths.expInRange;
import static dev.fovea.kernels.cpu.simd.ScalarMaths.most;

import dev.fovea.kernels.Activation;

/** {@link VectorActivations} in plain Java, operation by operation. */
final class ScalarActivations {
  private ScalarActivations() {}

  static float value(Activation f, float x) {
    float a = Math.abs(x);
    return switch (f) {
      case NONE -> x;
      case GELU_ERF -> {
        a = most(a, TAIL_END);
        yield joined(x, a, normalTail(a));
      }
      case GELU_TANH -> {
        a = most(a, GELU_TANH_END);
        yield joined(x, a, sigmoidTail(a * Math.fma(a * a, T3_LOG2, T1_LOG2)));
      }
      case GELU_QUICK -> {
        a = most(a, GELU_QUICK_END);
        yield joined(x, a, sigmoidTail(a * QUICK_LOG2));
      }
      case SILU -> {
        a = most(a, SILU_END);
        yield joined(x, a, sigmoidTail(a * -LOG2_E));
      }
      case TANH -> ScalarMaths.tanh(x);
    };
  }

  static float slope(Activation f, float x) {
    float a = Math.abs(x);
    return switch (f) {
      case NONE -> 1f;
      case GELU_ERF -> {
        a = most(a, GELU_ERF_END);
        yield sided(x, exp2Scaled(a * a * HALF_SQUARE) * erfSlope(a));
      }
      case GELU_TANH -> {
        a = most(a, GELU_TANH_END);
        float square = a * a;
        float y = a * Math.fma(square, T3_LOG2, T1_LOG2);
        yield sided(x, sigmoidTailSlope(y, a * Math.fma(square, 3 * T3, T1)));
      }
      case GELU_QUICK -> {
        a = most(a, GELU_QUICK_END);
        yield sided(x, sigmoidTailSlope(a * QUICK_LOG2, a * QUICK));
      }
      case SILU -> {
        a = most(a, SILU_END);
        yield sided(x, sigmoidTailSlope(a * -LOG2_E, a));
      }
      case TANH -> {
        float e = expInRange(most(a, TANH_GRADIENT_END) * -2f);
        float d = e + 1f;
        yield e * 4f / (d * d);
      }
    };
  }

  /** SILU as {@link Streams#swigluGradient} has it, with a division that the slope has too. */
  static float gate(float x) {
    float a = most(Math.abs(x), SILU_END);
    float e = exp2(a * -LOG2_E);
    return joined(x, a, e * (1f / (e + 1f)));
  }

  /** P(X > a): see {@link MathConstants#TAIL_N0}. */
  private static float normalTail(float a) {
    float h = a * TAIL_H;
    float y = a * h;
    float t = y + TAIL_ROUND;
    float r = y - (t - TAIL_ROUND);
    float p = Math.fma(r, TAIL_X5, TAIL_X4);
    p = Math.fma(p, r, TAIL_X3);
    p = Math.fma(p, r, TAIL_X2);
    p = Math.fma(p, r, TAIL_X1);
    p = Math.fma(p, r, TAIL_X0);
    p = Math.fma(p, r, TAIL_X);
    float e = Float.intBitsToFloat(Float.floatToRawIntBits(p) + (Float.floatToRawIntBits(t) << 23));
    float n = Math.fma(a + TAIL_N1, a, TAIL_N0) * (h + TAIL_NH);
    float d = Math.fma(a + TAIL_D3, a, TAIL_D2);
    d = Math.fma(d, a, TAIL_D1);
    d = Math.fma(d, a, TAIL_D0);
    return -e * (n / d);
  }

  private static float erfSlope(float a) {
    float s = Math.fma(a, S10, S9);
    s = Math.fma(s, a, S8);
    s = Math.fma(s, a, S7);
    s = Math.fma(s, a, S6);
    s = Math.fma(s, a, S5);
    s = Math.fma(s, a, S4);
    s = Math.fma(s, a, S3);
    s = Math.fma(s, a, S2);
    s = Math.fma(s, a, S1);
    return Math.fma(s, a, S0);
  }

  private static float sigmoidTail(float y) {
    float e = exp2Scaled(y);
    return e / (e + 0x1p96f);
  }

  private static float sigmoidTailSlope(float y, float av) {
    float e = exp2(y);
    float inverse = 1f / (e + 1f);
    return e * inverse * Math.fma(-av, inverse, 1f);
  }

  private static float joined(float x, float a, float q) {
    return Math.fma(-a, q, x < 0 ? 0f : x);
  }

  private static float sided(float x, float t) {
    return x < 0 ? t : 1f - t;
  }
}
