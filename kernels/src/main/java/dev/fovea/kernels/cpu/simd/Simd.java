package dev.fovea.kernels.cpu.simd;

/**
 * The inner loops in one form: all with the Vector API, or all in plain Java.
 *
 * <p>{@link #best} takes the Vector API where that is the faster form. System property {@code fovea.cpu.simd} decides
 * otherwise: {@code scalar} for plain Java, {@code vector} for the Vector API wherever it works at all, {@code auto}
 * for the default.
 */
public interface Simd {
  /** What it runs on, in words: for example {@code "512-bit vectors"}, or {@code "scalar"} and why. */
  String description();

  Tiles tiles();

  Convert convert();

  Maths maths();

  Reductions reductions();

  Losses losses();

  Pixels pixels();

  Packing packing();

  Arithmetic arithmetic();

  Columns columns();

  Philox philox();

  Updates updates();

  /** Of F32. */
  Streams streams();

  /** Of BF16. */
  Streams halfStreams();

  /**
   * The form for this JVM; chosen once. If that is plain Java and nobody asked for it, the log says why, once.
   *
   * @throws IllegalStateException if {@code fovea.cpu.simd} asks for vectors that this JVM cannot run, or is none of
   *     the three words
   */
  static Simd best() {
    return SimdChoice.THIS.simd();
  }

  /** Plain Java. */
  static Simd scalar() {
    return ScalarSimd.INSTANCE;
  }
}
