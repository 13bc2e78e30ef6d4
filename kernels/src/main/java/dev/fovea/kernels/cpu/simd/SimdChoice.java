package dev.fovea.kernels.cpu.simd;

/** Chooses the form of the inner loops once. */
final class SimdChoice {
  static final Simd BEST = ScalarSimd.INSTANCE;

  private SimdChoice() {}
}
