package dev.fovea.kernels.cpu.simd;

/** Numbers that both forms of {@link Philox} share: sine and cosine of t quarter turns for |t| up to 1/2, z = t^2. */
final class PhiloxConstants {
  /** pi / 2 in two parts. */
  static final float QUARTER_HIGH = 0x1.921fb6p0f;

  static final float QUARTER_LOW = -0x1.777a5cp-25f;

  /** sin = pi/2 t + t z (S0 + S1 z + ...), to 9e-11. */
  static final float S0 = -0x1.4abbcep-1f;

  static final float S1 = 0x1.466b78p-4f;
  static final float S2 = -0x1.32ada6p-8f;
  static final float S3 = 0x1.443816p-13f;

  /** cos = 1 + z (C0 + C1 z + ...), to 5e-10. */
  static final float C0 = -0x1.3bd3ccp0f;

  static final float C1 = 0x1.03c1b0p-2f;
  static final float C2 = -0x1.55b2b6p-6f;
  static final float C3 = 0x1.d4f7eep-11f;

  /** Angles are in units of 2^-24 turns, so that reducing them is exact. */
  static final int QUARTER_BITS = 22;

  static final int QUARTER = 1 << QUARTER_BITS;

  private PhiloxConstants() {}
}
