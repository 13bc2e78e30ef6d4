package dev.fovea.kernels.cpu.simd;

/**
 * Loads and stores between native memory and {@code float[]}. Addresses are native and multiples of the element size;
 * nothing is checked here. Every form gives the same bits (but for which NaN an F16 NaN becomes).
 */
public interface Convert {
  /** F32 to float[]. */
  void loadF32(long address, float[] to, int at, int count);

  /** BF16 to float[], exact. */
  void loadBf16(long address, float[] to, int at, int count);

  /** float[] to F32. */
  void storeF32(float[] from, int at, long address, int count);

  /** float[] to BF16, to nearest even; a NaN stays one, made quiet. */
  void storeBf16(float[] from, int at, long address, int count);

  /** BF16 to F32 in native memory, exact. The two must not overlap. */
  void widenBf16(long from, long to, int count);

  /** F32 to BF16 in native memory, as {@link #storeBf16}. The two must not overlap. */
  void narrowBf16(long from, long to, int count);

  /** Rounds float[] to values that BF16 holds, as {@link #storeBf16} would. */
  void roundBf16(float[] x, int at, int count);

  /** BF16 in native memory times float[], as {@link #storeBf16}; to may be from. */
  void multiplyBf16(float[] by, int at, long from, long to, int count);

  /** F16 to float[], exact; a NaN stays one. */
  void loadF16(long address, float[] to, int at, int count);

  /** float[] to F16, to nearest even; what is too large becomes infinite, a NaN stays one. */
  void storeF16(float[] from, int at, long address, int count);

  /** Unsigned bytes to float[], exact. */
  void loadU8(long address, float[] to, int at, int count);

  /** I32 to float[], to nearest even. */
  void loadI32(long address, float[] to, int at, int count);

  /** I64 to float[], to nearest even in one rounding. */
  void loadI64(long address, float[] to, int at, int count);

  /**
   * F32 to BF16 in native memory, stochastically: the lower 16 bits of {@code words[i]} are added to the bits that are
   * cut off, so that it rounds away from zero with a probability equal to their fraction. Infinities and NaN stay; what
   * is finite stays finite. The two must not overlap.
   */
  void narrowBf16Stochastic(long from, int[] words, long to, int count);
}
