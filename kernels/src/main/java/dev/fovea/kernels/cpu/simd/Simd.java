package dev.fovea.kernels.cpu.simd;

/** The inner loops in one form: all with the Vector API, or all in plain Java. */
public interface Simd {
  /** What it runs on, in words: for example {@code "512-bit vectors"} or {@code "scalar"}. */
  String description();

  Tiles tiles();

  Convert convert();

  /** The form this JVM runs best; chosen once. */
  static Simd best() {
    return SimdChoice.BEST;
  }

  /** Plain Java. */
  static Simd scalar() {
    return ScalarSimd.INSTANCE;
  }
}
