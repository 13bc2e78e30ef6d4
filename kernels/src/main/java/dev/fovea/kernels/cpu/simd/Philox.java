package dev.fovea.kernels.cpu.simd;

/**
 * Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011) and what is made of its words.
 * Every form gives the same bits.
 */
public interface Philox {
  /** The multipliers of words 0 and 2. */
  int MULTIPLIER_0 = 0xD2511F53;

  int MULTIPLIER_1 = 0xCD9E8D57;

  /** What the key words grow by from round to round: the golden ratio, and sqrt(3) - 1. */
  int KEY_STEP_0 = 0x9E3779B9;

  int KEY_STEP_1 = 0xBB67AE85;

  int ROUNDS = 10;

  /**
   * Words {@code [first, first + count)} of the stream: word {@code i} is word {@code i % 4} of the block with key
   * {@code seed} (low half, high half) and counter {@code (i / 4, step)} (low halves before high halves).
   */
  void words(long seed, long step, long first, int[] to, int at, int count);

  /** {@code min(low + (high - low) u, below)} with {@code u = (word >>> 8) 2^-24}, one fused multiply-add. */
  void uniform(int[] words, float low, float high, float below, float[] to, int count);

  /**
   * {@code mean + deviation r c}, one fused multiply-add: Box-Muller of words 2j and 2j + 1, where r comes from the
   * first, and c is the cosine for element 2j and the sine for element 2j + 1 of the angle from the second. There must
   * be an even number of words.
   */
  void normal(int[] words, float mean, float deviation, float[] to, int count);

  /** {@code u < keep ? kept : 0} with {@code u = (word >>> 8) 2^-24}. */
  void keep(int[] words, float keep, float kept, float[] to, int count);
}
