package dev.fovea.kernels.reference;

import dev.fovea.kernels.RandomKernels;
import dev.fovea.kernels.Span;

/** Random numbers from the definition of Philox, one element at a time. */
public final class ReferenceRandom implements RandomKernels {
  private static final long MASK = 0xffffffffL;

  /** Philox4x32-10 of a counter of four words and a key of two. */
  public static int[] philox(int[] counter, int[] key) {
    int[] c = counter.clone();
    int[] k = key.clone();
    for (int round = 0; round < 10; round++) {
      long left = (c[0] & MASK) * 0xD2511F53L;
      long right = (c[2] & MASK) * 0xCD9E8D57L;
      c = new int[] {(int) (right >> 32) ^ c[1] ^ k[0], (int) right, (int) (left >> 32) ^ c[3] ^ k[1], (int) left};
      k = new int[] {k[0] + 0x9E3779B9, k[1] + 0xBB67AE85};
    }
    return c;
  }

  /** The word of an element. */
  public static int word(long seed, long step, long element) {
    long block = element / 4;
    int[] counter = {(int) block, (int) (block >> 32), (int) step, (int) (step >> 32)};
    return philox(counter, new int[] {(int) seed, (int) (seed >> 32)})[(int) (element % 4)];
  }

  private static double fraction(int word) {
    return (word >>> 8) / 0x1p24;
  }

  @Override
  public void bits(Span out, long seed, long step) {
    for (long i = 0; i < out.count(); i++) {
      Mat.set(out, i, word(seed, step, i));
    }
  }

  @Override
  public void uniform(Span out, float low, float high, long seed, long step) {
    for (long i = 0; i < out.count(); i++) {
      float value = (float) (low + ((double) high - low) * fraction(word(seed, step, i)));
      Mat.set(out, i, value < high ? value : Math.nextDown(high));
    }
  }

  @Override
  public void normal(Span out, float mean, float deviation, long seed, long step) {
    for (long i = 0; i < out.count(); i++) {
      double r = Math.sqrt(-2 * Math.log(fraction(word(seed, step, i / 2 * 2)) + 0x1p-24));
      double angle = 2 * Math.PI * fraction(word(seed, step, i / 2 * 2 + 1));
      Mat.set(out, i, mean + deviation * r * (i % 2 == 0 ? Math.cos(angle) : Math.sin(angle)));
    }
  }

  @Override
  public void keep(Span out, float keep, long seed, long step) {
    for (long i = 0; i < out.count(); i++) {
      Mat.set(out, i, fraction(word(seed, step, i)) < keep ? 1 / keep : 0);
    }
  }
}
