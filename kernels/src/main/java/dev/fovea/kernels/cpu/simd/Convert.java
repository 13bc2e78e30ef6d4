package dev.fovea.kernels.cpu.simd;

/**
 * Loads and stores between native memory and {@code float[]}. Addresses are native; nothing is checked here.
 */
public interface Convert {
  /** F32 to float[]. */
  void loadF32(long address, float[] to, int at, int count);

  /** BF16 to float[], exact. */
  void loadBf16(long address, float[] to, int at, int count);

  /** float[] to F32. */
  void storeF32(float[] from, int at, long address, int count);

  /** float[] to BF16, to nearest even; NaN stays NaN. */
  void storeBf16(float[] from, int at, long address, int count);
}
