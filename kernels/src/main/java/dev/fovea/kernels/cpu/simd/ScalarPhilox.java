package dev.fovea.kernels.cpu.simd;

import static dev.fovea.kernels.cpu.simd.PhiloxConstants.*;

/** {@link Philox} in plain Java. */
final class ScalarPhilox implements Philox {
  @Override
  public void words(long seed, long step, long first, int[] to, int at, int count) {
    scalarWords(seed, step, first, to, at, count);
  }

  static void scalarWords(long seed, long step, long first, int[] to, int at, int count) {
    int done = 0;
    while (done < count) {
      int word = (int) (first + done & 3);
      int some = Math.min(4 - word, count - done);
      block(seed, step, first + done >>> 2, word, to, at + done, some);
      done += some;
    }
  }

  /** Words {@code [word, word + count)} of one block. */
  static void block(long seed, long step, long index, int word, int[] to, int at, int count) {
    int k0 = (int) seed;
    int k1 = (int) (seed >>> 32);
    int c0 = (int) index;
    int c1 = (int) (index >>> 32);
    int c2 = (int) step;
    int c3 = (int) (step >>> 32);
    for (int round = 0; round < ROUNDS; round++) {
      long p0 = (c0 & 0xffffffffL) * (MULTIPLIER_0 & 0xffffffffL);
      long p1 = (c2 & 0xffffffffL) * (MULTIPLIER_1 & 0xffffffffL);
      c0 = (int) (p1 >>> 32) ^ c1 ^ k0;
      c1 = (int) p1;
      c2 = (int) (p0 >>> 32) ^ c3 ^ k1;
      c3 = (int) p0;
      k0 += KEY_STEP_0;
      k1 += KEY_STEP_1;
    }
    for (int i = 0; i < count; i++) {
      to[at + i] = switch (word + i) {
        case 0 -> c0;
        case 1 -> c1;
        case 2 -> c2;
        default -> c3;
      };
    }
  }

  @Override
  public void uniform(int[] words, float low, float high, float below, float[] to, int count) {
    for (int i = 0; i < count; i++) {
      to[i] = Math.min(Math.fma(high - low, fraction(words[i]), low), below);
    }
  }

  @Override
  public void normal(int[] words, float mean, float deviation, float[] to, int count) {
    scalarNormal(words, mean, deviation, to, 0, count);
  }

  static void scalarNormal(int[] words, float mean, float deviation, float[] to, int from, int count) {
    for (int i = from; i < count; i++) {
      float u = ((words[i & -2] >>> 8) + 1) * 0x1p-24f;
      float radius = (float) Math.sqrt(-2f * ScalarMaths.log(u));
      // the sine is the cosine of a quarter turn less
      int phase = (words[i | 1] >>> 8) + ((i & 1) == 0 ? 0 : 3 * QUARTER);
      to[i] = Math.fma(deviation, radius * cosine(phase), mean);
    }
  }

  private static float cosine(int phase) {
    int quarters = phase + QUARTER / 2 >>> QUARTER_BITS;
    float t = (phase - (quarters << QUARTER_BITS)) * (1f / QUARTER);
    float z = t * t;
    float magnitude = (quarters & 1) == 0 ? cos(z) : sin(t, z);
    return Float.intBitsToFloat(Float.floatToRawIntBits(magnitude) ^ (quarters + 1 & 2) << 30);
  }

  private static float cos(float z) {
    float p = Math.fma(z, C3, C2);
    p = Math.fma(p, z, C1);
    p = Math.fma(p, z, C0);
    return Math.fma(p, z, 1f);
  }

  private static float sin(float t, float z) {
    float p = Math.fma(z, S3, S2);
    p = Math.fma(p, z, S1);
    p = Math.fma(p, z, S0);
    p = Math.fma(p, z, QUARTER_LOW);
    return Math.fma(t, QUARTER_HIGH, t * p);
  }

  @Override
  public void keep(int[] words, float keep, float kept, float[] to, int count) {
    for (int i = 0; i < count; i++) {
      to[i] = fraction(words[i]) < keep ? kept : 0f;
    }
  }

  private static float fraction(int word) {
    return (word >>> 8) * 0x1p-24f;
  }
}
