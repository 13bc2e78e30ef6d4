package dev.fovea.kernels.cpu.simd;

/**
 * Coefficients that both forms of {@link Maths} share: minimax fits, rounded to F32 one by one with the later ones
 * refitted.
 */
final class MathConstants {
  /** Adding this rounds to an integer, which then stands in the low bits. */
  static final float ROUND = 0x1.8p23f;

  static final float LOG2_E = 0x1.715476p0f;
  /** ln 2 in two parts; the upper has few enough bits for exact products with exponents. */
  static final float LN2_HIGH = 0x1.62e4p-1f;

  static final float LN2_LOW = 0x1.7f7d1cp-20f;
  /** The bits of 1f. */
  static final int ONE_BITS = 0x3f800000;

  static final int SIGN_BIT = 0x80000000;

  /** e^r = 1 + r + r^2 (E0 + E1 r + ...) for |r| below 0.3472, to 1.4e-8. */
  static final float E0 = 0x1.fffffep-2f;

  static final float E1 = 0x1.5554b4p-3f;
  static final float E2 = 0x1.5556f4p-5f;
  static final float E3 = 0x1.122586p-7f;
  static final float E4 = 0x1.6b9adep-10f;
  /** Above, e^x overflows. */
  static final float EXP_HIGH = 89f;
  /** Below, e^x rounds to 0. */
  static final float EXP_LOW = -104f;

  /** e^x below this is less than the smallest normal number. */
  static final float EXP_NORMAL = -0x1.5d589ep6f;

  /** 2^r = 1 + r (X0 + X1 r + ...) for |r| up to 1/2, to 3.0e-9. */
  static final float X0 = 0x1.62e43p-1f;

  static final float X1 = 0x1.ebfbdcp-3f;
  static final float X2 = 0x1.c6af7cp-5f;
  static final float X3 = 0x1.3b2dep-7f;
  static final float X4 = 0x1.5f0838p-10f;
  static final float X5 = 0x1.416b7ap-13f;
  /** Like {@link #ROUND}, with 96 in the low bits too: enough that 2^-221 times 2^96 is a normal number. */
  static final float ROUND_96 = 0x1.8p23f + 96;

  /** ln(1 + f) = f - f^2 / 2 + f^3 (L0 + L1 f + ...) for 1 + f from sqrt(1/2) to sqrt 2, to 5.9e-9. */
  static final float L0 = 0x1.555554p-2f;

  static final float L1 = -0x1.000226p-2f;
  static final float L2 = 0x1.99a01cp-3f;
  static final float L3 = -0x1.54728ap-3f;
  static final float L4 = 0x1.22d92ep-3f;
  static final float L5 = -0x1.0d8242p-3f;
  static final float L6 = 0x1.055ec6p-3f;
  static final float L7 = -0x1.38c9dep-4f;
  /** The bits of sqrt(1/2). */
  static final int SQRT_HALF_BITS = 0x3f3504f3;

  /** erf a = a + a (F0 + F1 a^2 + ...) for a up to 0.92, to 9e-10. */
  static final float F0 = 0x1.06eba8p-3f;

  static final float F1 = -0x1.812740p-2f;
  static final float F2 = 0x1.ce2d64p-4f;
  static final float F3 = -0x1.b80114p-6f;
  static final float F4 = 0x1.54496ep-8f;
  static final float F5 = -0x1.a5fef8p-11f;
  static final float F6 = 0x1.4f2e10p-14f;
  /** Where erf changes from the polynomial to the tail. */
  static final float ERF_SPLIT = 0.9f;
  /** From here on erf rounds to 1. */
  static final float ERF_ONE = 4f;

  static final float SQRT_2 = 0x1.6a09e6p0f;

  /**
   * The tail of the normal distribution, P(X > a) = e^(-a^2 / 2) N(a) / D(a) for a from 0 to 14.6. The error is 7.9e-8
   * (1 + |1 - a density(a) / P| / 3): what it grows by with a is less than what a rounding of a changes in P. Every
   * coefficient is positive, so nothing cancels.
   */
  static final float N0 = 0x1.000000p-1f;

  static final float N1 = 0x1.608cb4p-2f;
  static final float N2 = 0x1.c034eep-4f;
  static final float N3 = 0x1.e0bbacp-7f;
  static final float D1 = 0x1.7c8844p+0f;
  static final float D2 = 0x1.cf50ap-1f;
  static final float D3 = 0x1.18800ep-2f;
  static final float D4 = 0x1.2d577ap-5f;

  /**
   * The same tail for GELU, as 2^(a h) N(a) / D(a) with h = {@code TAIL_H a}, to 2.2e-8 (1.2 + 2 |1 - a density(a) /
   * P|). N is a quadratic factor times (h + {@link #TAIL_NH}); it and D have no highest coefficients, which saves FMAs:
   * the exponential has these as a factor. 2^-23 in h is taken back by the 2^23 that {@link #TAIL_ROUND} leaves there,
   * which keep it normal.
   */
  static final float TAIL_N0 = 0x1.37a974p+3f;

  static final float TAIL_N1 = 0x1.f8248ep+1f;
  static final float TAIL_NH = -0x1.4f652ep-22f;
  static final float TAIL_D0 = 0x1.c37b48p+4f;
  static final float TAIL_D1 = 0x1.4d8c7cp+5f;
  static final float TAIL_D2 = 0x1.93291ap+4f;
  static final float TAIL_D3 = 0x1.e39f0cp+2f;
  /** Where the tail rounds to 0. */
  static final float TAIL_END = 14.25f;

  /** {@link #HALF_SQUARE}, and that rounding adds to 2^23 times as much. */
  static final float TAIL_H = -0x1.715476p-24f;

  static final float TAIL_ROUND = (0x1.8p23f + 23) * 0x1p-23f;
  /** The polynomial of 2^r, in 2^-23 r, times what the highest coefficients were. */
  static final float TAIL_X = 0x1.1b0f7ep-1f;

  static final float TAIL_X0 = (float) (TAIL_X * 0x1p23 * X0);
  static final float TAIL_X1 = (float) (TAIL_X * 0x1p46 * X1);
  static final float TAIL_X2 = (float) (TAIL_X * 0x1p69 * X2);
  static final float TAIL_X3 = (float) (TAIL_X * 0x1p92 * X3);
  static final float TAIL_X4 = (float) (TAIL_X * 0x1p115 * X4);
  static final float TAIL_X5 = (float) (TAIL_X * 0x1p138 * X5);

  /**
   * P(X > a) - a density(a) = e^(-a^2 / 2) 2^96 (S0 + S1 a + ...), to 7.1e-8 absolute for every a; {@link #ROUND_96}
   * left 2^96. The signs alternate, but where terms cancel the factor in front is small.
   */
  static final float S0 = 0x1p-96f * 0.5f;

  static final float S1 = -0x1p-96f * 0x1.9883dp-1f;
  static final float S2 = 0x1p-96f * 0x1.ffdbecp-3f;
  static final float S3 = -0x1p-96f * 0x1.0f7d52p-3f;
  static final float S4 = 0x1p-96f * 0x1.f5b97ep-5f;
  static final float S5 = -0x1p-96f * 0x1.8ff5a8p-6f;
  static final float S6 = 0x1p-96f * 0x1.06439ep-7f;
  static final float S7 = -0x1p-96f * 0x1.063d1ep-9f;
  static final float S8 = 0x1p-96f * 0x1.6ae6c2p-12f;
  static final float S9 = -0x1p-96f * 0x1.2e721ap-15f;
  static final float S10 = 0x1p-96f * 0x1.c2b6d6p-20f;
  /** e^(-a^2 / 2) is 2^(HALF_SQUARE a^2). */
  static final float HALF_SQUARE = -0x1.715476p-1f;

  /** The tanh form of GELU is x sigmoid(v) with v = x (T1 + T3 x^2). */
  static final float T1 = 0x1.988454p0f;

  static final float T3 = 0x1.2444f2p-4f;
  /** e^-v is 2^(a (T1_LOG2 + T3_LOG2 a^2)). */
  static final float T1_LOG2 = -0x1.26aec2p1f;

  static final float T3_LOG2 = -0x1.a5a7dp-4f;
  static final float QUICK = 1.702f;
  /** e^(-QUICK a) is 2^(QUICK_LOG2 a). */
  static final float QUICK_LOG2 = -0x1.3a4cbep1f;

  /** |x| from which the tail of each activation is 0; also keeps e^-v in range without a test. */
  static final float GELU_ERF_END = 16f;

  static final float GELU_TANH_END = 12f;
  static final float GELU_QUICK_END = 90f;
  static final float SILU_END = 128f;
  static final float TANH_GRADIENT_END = 64f;
  /** From here on tanh rounds to 1. */
  static final float TANH_ONE = 10f;

  /** Where tanh changes its form. */
  static final float TANH_SPLIT = 0.55f;

  private MathConstants() {}
}
