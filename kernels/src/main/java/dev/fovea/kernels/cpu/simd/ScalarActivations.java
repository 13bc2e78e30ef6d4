package dev.fovea.kernels.cpu.simd;

import static dev.fovea.kernels.cpu.simd.MathConstants.*;
import static dev.fovea.kernels.cpu.simd.ScalarMaths.expInRange;
import static dev.fovea.kernels.cpu.simd.ScalarMaths.most;
import static dev.fovea.kernels.cpu.simd.ScalarMaths.tailRatio;

import dev.fovea.kernels.Activation;

/** {@link VectorActivations} in plain Java, operation by operation. */
final class ScalarActivations {
  private ScalarActivations() {}

  static float value(Activation f, float x) {
    float a = Math.abs(x);
    return switch (f) {
      case NONE -> x;
      case GELU_ERF -> {
        a = most(a, GELU_ERF_END);
        yield joined(x, a, density(a) * tailRatio(a));
      }
      case GELU_TANH -> {
        a = most(a, GELU_TANH_END);
        yield joined(x, a, sigmoidTail(a * Math.fma(a * a, T3, T1)));
      }
      case GELU_QUICK -> {
        a = most(a, GELU_QUICK_END);
        yield joined(x, a, sigmoidTail(a * QUICK));
      }
      case SILU -> {
        a = most(a, SILU_END);
        yield joined(x, a, sigmoidTail(a));
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
        yield sided(x, density(a) * Math.fma(a, -DENSITY_0, tailRatio(a)));
      }
      case GELU_TANH -> {
        a = most(a, GELU_TANH_END);
        float square = a * a;
        float v = a * Math.fma(square, T3, T1);
        yield sided(x, sigmoidTailSlope(v, a * Math.fma(square, 3 * T3, T1)));
      }
      case GELU_QUICK -> {
        float v = most(a, GELU_QUICK_END) * QUICK;
        yield sided(x, sigmoidTailSlope(v, v));
      }
      case SILU -> {
        a = most(a, SILU_END);
        yield sided(x, sigmoidTailSlope(a, a));
      }
      case TANH -> {
        float e = expInRange(most(a, TANH_GRADIENT_END) * -2f);
        float d = e + 1f;
        yield e * 4f / (d * d);
      }
    };
  }

  private static float density(float a) {
    float square = a * a;
    return expInRange(square * -0.5f, Math.fma(-a, a, square) * 0.5f);
  }

  private static float sigmoidTail(float v) {
    float e = expInRange(-v);
    return e / (e + 1f);
  }

  private static float sigmoidTailSlope(float v, float av) {
    float e = expInRange(-v);
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
