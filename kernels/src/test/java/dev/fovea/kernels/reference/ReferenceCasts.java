package dev.fovea.kernels.reference;

import dev.fovea.kernels.Span;

/** Stochastic rounding to BF16, from what it means: up with the probability of the fraction. */
public final class ReferenceCasts {
  private ReferenceCasts() {}

  /** The value rounded to BF16 with the lower half of a random word. */
  public static float stochastic(float value, int word) {
    float down = Float.intBitsToFloat(Float.floatToRawIntBits(value) & 0xffff0000);
    if (Float.isNaN(value) || Float.isInfinite(value)) {
      return value;
    }
    float largest = 0x1.fep127f;
    if (Math.abs(value) >= largest) {
      return Math.copySign(largest, value);
    }
    double up = Math.abs((double) Float.intBitsToFloat(Float.floatToRawIntBits(down) + 0x10000));
    double fraction = (Math.abs((double) value) - Math.abs((double) down)) / (up - Math.abs((double) down));
    boolean away = (word & 0xffff) / 0x1p16 >= 1 - fraction;
    return away ? Math.copySign((float) up, value) : down;
  }

  /** {@link dev.fovea.kernels.ElementwiseKernels#castStochastic}. */
  public static void castStochastic(Span x, Span y, long seed, long step) {
    for (long i = 0; i < x.count(); i++) {
      Mat.set(y, i, stochastic((float) Mat.get(x, i), ReferenceRandom.word(seed, step, i)));
    }
  }
}
