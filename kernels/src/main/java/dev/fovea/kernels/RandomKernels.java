package dev.fovea.kernels;

/**
 * Random numbers as a function of (seed, step, element): Philox4x32-10 (Salmon et al., SC 2011), the same on every
 * device and however the work is split.
 *
 * <p>The key is the seed (low word, high word); the counter of element {@code i} is {@code (i / 4 low, i / 4 high, step
 * low, step high)}; the element takes word {@code i % 4} of the block.
 */
public interface RandomKernels {
  /** These kernels behind the checks of their arguments. */
  static RandomKernels checked(RandomKernels kernels) {
    return new CheckedRandom(kernels);
  }

  /** I32 [n]: the raw words. */
  void bits(Span out, long seed, long step);

  /**
   * {@code out = low + (high - low) u} with {@code u = (word >>> 8) 2^-24}: one fused multiply-add, and the number
   * below {@code high} where that would round to it, so that each is in [low, high). F32, or BF16 rounded from it.
   */
  void uniform(Span out, float low, float high, long seed, long step);

  /**
   * Normal numbers by Box-Muller: elements 2j and 2j + 1 are {@code mean + deviation r cos(angle)} and {@code mean +
   * deviation r sin(angle)} of words w = 2j and w' = 2j + 1. F32 or BF16.
   *
   * <p>{@code r = sqrt(-2 ln(((w >>> 8) + 1) 2^-24)), angle = 2 pi (w' >>> 8) 2^-24}. Error bound: {@code 8 u} times
   * {@code |mean| + deviation r |cos or sin|}.
   */
  void normal(Span out, float mean, float deviation, long seed, long step);

  /**
   * {@code out[i] = uniform[0,1) < keep ? 1 / keep : 0}, F32: factors of dropout and stochastic depth.
   *
   * @param keep in (0, 1]
   */
  void keep(Span out, float keep, long seed, long step);
}
