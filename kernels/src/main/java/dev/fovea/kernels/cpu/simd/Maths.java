package dev.fovea.kernels.cpu.simd;

import dev.fovea.kernels.Activation;

/**
 * Transcendental functions over ranges of {@code float[]}, from x to y; y may be x at the same offset. Both forms run
 * the same operations in the same order, fused multiply-adds included, so that every machine gives the same bits (NaN
 * payloads aside). A unit in the last place (ulp) is that of the exact result; results below the smallest normal number
 * are as close in units of the smallest denormal. NaN gives NaN.
 */
public interface Maths {
  /** e^x to 1 ulp: +0 below -104, infinite above 88.73. */
  void exp(float[] x, int xAt, float[] y, int yAt, int count);

  /** The natural logarithm to 1 ulp: -infinity at 0, NaN below. */
  void log(float[] x, int xAt, float[] y, int yAt, int count);

  /** tanh x to 2.5 ulp. */
  void tanh(float[] x, int xAt, float[] y, int yAt, int count);

  /** The error function to 1.5 ulp. */
  void erf(float[] x, int xAt, float[] y, int yAt, int count);

  /** 1 / (1 + e^-x) to 2.5 ulp. */
  void sigmoid(float[] x, int xAt, float[] y, int yAt, int count);

  /**
   * {@code y = f(x)}. Every function but TANH is {@code max(x, 0) - |x| q(|x|)} with a small q that is computed without
   * cancellation, so that the left tail keeps its relative accuracy. With k = |x f'(x) / f(x)|, how much the function
   * itself amplifies one rounding of x, the relative error is within (6 + 2 k) 2^-24, down to results of |x| times the
   * smallest denormal. The limits stand at the infinities.
   */
  void activation(Activation f, float[] x, int xAt, float[] y, int yAt, int count);

  /**
   * {@code dx = dy f'(x)}; dx may be x or dy at the same offset. The error of f' is within 4 * 2^-24; for TANH within 6
   * * 2^-24 relative to f'.
   */
  void activationGradient(Activation f, float[] x, int xAt, float[] dy, int dyAt, float[] dx, int dxAt, int count);
}
