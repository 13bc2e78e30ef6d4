package dev.fovea.kernels.cpu.simd;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link Rows} with the Vector API: whole vectors, then one masked step. Sums of lanes go by halves and are written
 * out: {@code reduceLanes} adds in an order of its own, and in another one once compiled.
 */
final class VectorRows implements Rows {
  private static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
  private static final int LANES = S.length();
  private static final VectorShuffle<Float> BY_2 = VectorShuffle.iota(S, 2, 1, true);
  private static final VectorShuffle<Float> BY_4 = VectorShuffle.iota(S, 4, 1, true);
  private static final VectorShuffle<Float> BY_8 = VectorShuffle.iota(S, 8, 1, true);
  private static final VectorShuffle<Float> BY_16 = VectorShuffle.iota(S, 16, 1, true);
  private static final VectorShuffle<Float> BY_32 = VectorShuffle.iota(S, 32, 1, true);

  @Override
  public void scale(float[] x, int at, int count, float factor) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      FloatVector.fromArray(S, x, at + i).mul(factor).intoArray(x, at + i);
    }
    if (i < count) {
      VectorMask<Float> mask = S.indexInRange(i, count);
      FloatVector.fromArray(S, x, at + i, mask).mul(factor).intoArray(x, at + i, mask);
    }
  }

  @Override
  public void add(float[] x, int at, float[] y, int yAt, int count) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      FloatVector.fromArray(S, x, at + i)
          .add(FloatVector.fromArray(S, y, yAt + i))
          .intoArray(x, at + i);
    }
    if (i < count) {
      VectorMask<Float> mask = S.indexInRange(i, count);
      FloatVector sum = FloatVector.fromArray(S, x, at + i, mask).add(FloatVector.fromArray(S, y, yAt + i, mask));
      sum.intoArray(x, at + i, mask);
    }
  }

  @Override
  public void multiply(float[] x, int at, float[] y, int yAt, int count) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      FloatVector.fromArray(S, x, at + i)
          .mul(FloatVector.fromArray(S, y, yAt + i))
          .intoArray(x, at + i);
    }
    if (i < count) {
      VectorMask<Float> mask = S.indexInRange(i, count);
      FloatVector product = FloatVector.fromArray(S, x, at + i, mask).mul(FloatVector.fromArray(S, y, yAt + i, mask));
      product.intoArray(x, at + i, mask);
    }
  }

  @Override
  public void normalize(float[] x, int at, int count, float mean, float factor, float[] weight, int weightAt) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      FloatVector w = FloatVector.fromArray(S, weight, weightAt + i);
      FloatVector.fromArray(S, x, at + i).sub(mean).mul(factor).mul(w).intoArray(x, at + i);
    }
    if (i < count) {
      VectorMask<Float> mask = S.indexInRange(i, count);
      FloatVector w = FloatVector.fromArray(S, weight, weightAt + i, mask);
      FloatVector.fromArray(S, x, at + i, mask).sub(mean).mul(factor).mul(w).intoArray(x, at + i, mask);
    }
  }

  @Override
  public float sum(float[] x, int at, int count) {
    FloatVector sum = FloatVector.zero(S);
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      sum = FloatVector.fromArray(S, x, at + i).add(sum);
    }
    if (i < count) {
      sum = FloatVector.fromArray(S, x, at + i, S.indexInRange(i, count)).add(sum);
    }
    sum = LANES > 32 ? sum.add(sum.rearrange(BY_32)) : sum;
    sum = LANES > 16 ? sum.add(sum.rearrange(BY_16)) : sum;
    sum = LANES > 8 ? sum.add(sum.rearrange(BY_8)) : sum;
    sum = LANES > 4 ? sum.add(sum.rearrange(BY_4)) : sum;
    sum = sum.add(sum.rearrange(BY_2));
    return sum.lane(0) + sum.lane(1);
  }

  @Override
  public float sumOfSquares(float[] x, int at, int count, float mean) {
    FloatVector sum = FloatVector.zero(S);
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      FloatVector deviation = FloatVector.fromArray(S, x, at + i).sub(mean);
      sum = deviation.fma(deviation, sum);
    }
    if (i < count) {
      VectorMask<Float> mask = S.indexInRange(i, count);
      FloatVector deviation = FloatVector.fromArray(S, x, at + i, mask).sub(mean, mask);
      sum = deviation.fma(deviation, sum);
    }
    sum = LANES > 32 ? sum.add(sum.rearrange(BY_32)) : sum;
    sum = LANES > 16 ? sum.add(sum.rearrange(BY_16)) : sum;
    sum = LANES > 8 ? sum.add(sum.rearrange(BY_8)) : sum;
    sum = LANES > 4 ? sum.add(sum.rearrange(BY_4)) : sum;
    sum = sum.add(sum.rearrange(BY_2));
    return sum.lane(0) + sum.lane(1);
  }
}
