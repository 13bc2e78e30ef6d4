package dev.fovea.vit.data;

/**
 * Random numbers one after the other: Philox4x32-10 keyed by (seed, step), the words that
 * {@link dev.fovea.kernels.RandomKernels} draws. Nothing is carried from one step to the next, so that a run that
 * resumes needs no state.
 */
public final class RandomStream {
  private static final long MULTIPLIER_0 = 0xD2511F53L;
  private static final long MULTIPLIER_1 = 0xCD9E8D57L;
  private static final int WEYL_0 = 0x9E3779B9;
  private static final int WEYL_1 = 0xBB67AE85;
  private static final int ROUNDS = 10;
  private static final long WORD = 0xFFFFFFFFL;

  private final long seed;
  private final long step;
  private final int[] words = new int[4];
  private long block;
  private int used = words.length;

  public RandomStream(long seed, long step) {
    this.seed = seed;
    this.step = step;
  }

  /** A seed for one purpose of several: streams of different purposes have nothing in common. */
  public static long seed(long seed, String purpose) {
    long mixed = seed;
    for (int i = 0; i < purpose.length(); i++) {
      mixed = mix(mixed ^ purpose.charAt(i));
    }
    return mixed;
  }

  /** The finalizer of SplitMix64 (Steele, Lea and Flood). */
  static long mix(long x) {
    x += 0x9E3779B97F4A7C15L;
    x = (x ^ x >>> 30) * 0xBF58476D1CE4E5B9L;
    x = (x ^ x >>> 27) * 0x94D049BB133111EBL;
    return x ^ x >>> 31;
  }

  /** The next raw word. */
  public int bits() {
    if (used == words.length) {
      fill();
    }
    return words[used++];
  }

  private void fill() {
    int c0 = (int) block;
    int c1 = (int) (block >>> 32);
    int c2 = (int) step;
    int c3 = (int) (step >>> 32);
    int k0 = (int) seed;
    int k1 = (int) (seed >>> 32);
    for (int round = 0; round < ROUNDS; round++) {
      long p0 = MULTIPLIER_0 * (c0 & WORD);
      long p1 = MULTIPLIER_1 * (c2 & WORD);
      c0 = (int) (p1 >>> 32) ^ c1 ^ k0;
      c1 = (int) p1;
      c2 = (int) (p0 >>> 32) ^ c3 ^ k1;
      c3 = (int) p0;
      k0 += WEYL_0;
      k1 += WEYL_1;
    }
    words[0] = c0;
    words[1] = c1;
    words[2] = c2;
    words[3] = c3;
    block++;
    used = 0;
  }

  /** In [0, 1). */
  public float uniform() {
    return (bits() >>> 8) * 0x1p-24f;
  }

  /** In [low, high]. */
  public float uniform(double low, double high) {
    return (float) (low + (high - low) * uniform());
  }

  /** One of 0 to {@code bound - 1}. */
  public int below(int bound) {
    return (int) ((bits() & WORD) * bound >>> 32);
  }

  /** True with this probability. */
  public boolean chance(double probability) {
    return uniform() < probability;
  }

  /** From the distribution Beta(alpha, alpha), by Jöhnk's rejection for alpha up to 1; 1 for alpha 0. */
  public double beta(double alpha) {
    if (alpha <= 0) {
      return 1;
    }
    while (true) {
      double x = Math.pow(uniform(), 1 / alpha);
      double y = Math.pow(uniform(), 1 / alpha);
      if (x + y <= 1 && x + y > 0) {
        return x / (x + y);
      }
    }
  }
}
