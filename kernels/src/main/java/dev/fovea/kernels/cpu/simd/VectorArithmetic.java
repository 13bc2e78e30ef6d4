package dev.fovea.kernels.cpu.simd;

import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.FloatVector.fromArray;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link Arithmetic} with the Vector API: whole vectors, then one masked step.
 *
 * <p>Sums over lanes are written out: {@code reduceLanes} leaves the order to the compiler, and a method of their own
 * may not be inlined where several loops of this class end up in one compilation (see {@link VectorMaths}).
 */
final class VectorArithmetic implements Arithmetic {
  private static final VectorSpecies<Float> SPECIES = FloatVector.SPECIES_PREFERRED;
  private static final int LANES = SPECIES.length();
  private static final VectorShuffle<Float> BY_8 = rotation(8);
  private static final VectorShuffle<Float> BY_4 = rotation(4);
  private static final VectorShuffle<Float> BY_2 = rotation(2);
  private static final VectorShuffle<Float> BY_1 = rotation(1);

  @Override
  public void combine(float alpha, float[] x, int xAt, float beta, float[] y, int yAt, float[] z, int zAt, int count) {
    FloatVector alphas = broadcast(SPECIES, alpha);
    FloatVector betas = broadcast(SPECIES, beta);
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      FloatVector xV = fromArray(SPECIES, x, xAt + i);
      FloatVector yV = fromArray(SPECIES, y, yAt + i);
      xV.fma(alphas, yV.mul(betas)).intoArray(z, zAt + i);
    }
    if (i < count) {
      VectorMask<Float> in = SPECIES.indexInRange(i, count);
      FloatVector xV = fromArray(SPECIES, x, xAt + i, in);
      FloatVector yV = fromArray(SPECIES, y, yAt + i, in);
      xV.fma(alphas, yV.mul(betas)).intoArray(z, zAt + i, in);
    }
  }

  @Override
  public void scale(float alpha, float[] x, int xAt, float[] z, int zAt, int count) {
    FloatVector alphas = broadcast(SPECIES, alpha);
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      FloatVector xV = fromArray(SPECIES, x, xAt + i);
      xV.mul(alphas).intoArray(z, zAt + i);
    }
    if (i < count) {
      VectorMask<Float> in = SPECIES.indexInRange(i, count);
      FloatVector xV = fromArray(SPECIES, x, xAt + i, in);
      xV.mul(alphas).intoArray(z, zAt + i, in);
    }
  }

  @Override
  public void add(float[] x, int xAt, float[] y, int yAt, float[] z, int zAt, int count) {
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      FloatVector xV = fromArray(SPECIES, x, xAt + i);
      FloatVector yV = fromArray(SPECIES, y, yAt + i);
      xV.add(yV).intoArray(z, zAt + i);
    }
    if (i < count) {
      VectorMask<Float> in = SPECIES.indexInRange(i, count);
      FloatVector xV = fromArray(SPECIES, x, xAt + i, in);
      FloatVector yV = fromArray(SPECIES, y, yAt + i, in);
      xV.add(yV).intoArray(z, zAt + i, in);
    }
  }

  @Override
  public void multiply(float alpha, float[] x, int xAt, float[] y, int yAt, float[] z, int zAt, int count) {
    FloatVector alphas = broadcast(SPECIES, alpha);
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      FloatVector xV = fromArray(SPECIES, x, xAt + i);
      FloatVector yV = fromArray(SPECIES, y, yAt + i);
      xV.mul(alphas).mul(yV).intoArray(z, zAt + i);
    }
    if (i < count) {
      VectorMask<Float> in = SPECIES.indexInRange(i, count);
      FloatVector xV = fromArray(SPECIES, x, xAt + i, in);
      FloatVector yV = fromArray(SPECIES, y, yAt + i, in);
      xV.mul(alphas).mul(yV).intoArray(z, zAt + i, in);
    }
  }

  @Override
  public void multiplyAdd(float alpha, float[] x, int xAt, float[] y, int yAt, float[] z, int zAt, int count) {
    multiplyAdd(alpha, x, xAt, y, yAt, z, zAt, z, zAt, count);
  }

  @Override
  public void multiplyAdd(
      float alpha, float[] x, int xAt, float[] y, int yAt, float[] add, int addAt, float[] z, int zAt, int count) {
    FloatVector alphas = broadcast(SPECIES, alpha);
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      FloatVector xV = fromArray(SPECIES, x, xAt + i);
      FloatVector yV = fromArray(SPECIES, y, yAt + i);
      FloatVector addV = fromArray(SPECIES, add, addAt + i);
      xV.mul(alphas).fma(yV, addV).intoArray(z, zAt + i);
    }
    if (i < count) {
      VectorMask<Float> in = SPECIES.indexInRange(i, count);
      FloatVector xV = fromArray(SPECIES, x, xAt + i, in);
      FloatVector yV = fromArray(SPECIES, y, yAt + i, in);
      FloatVector addV = fromArray(SPECIES, add, addAt + i, in);
      xV.mul(alphas).fma(yV, addV).intoArray(z, zAt + i, in);
    }
  }

  @Override
  public void normalize(
      float mean,
      float rstd,
      float[] x,
      int xAt,
      float[] weight,
      int weightAt,
      float[] bias,
      int biasAt,
      float[] y,
      int yAt,
      int count) {
    FloatVector means = broadcast(SPECIES, mean);
    FloatVector rstds = broadcast(SPECIES, rstd);
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      FloatVector xV = fromArray(SPECIES, x, xAt + i);
      FloatVector weightV = fromArray(SPECIES, weight, weightAt + i);
      FloatVector biasV = fromArray(SPECIES, bias, biasAt + i);
      xV.sub(means).mul(rstds).fma(weightV, biasV).intoArray(y, yAt + i);
    }
    if (i < count) {
      VectorMask<Float> in = SPECIES.indexInRange(i, count);
      FloatVector xV = fromArray(SPECIES, x, xAt + i, in);
      FloatVector weightV = fromArray(SPECIES, weight, weightAt + i, in);
      FloatVector biasV = fromArray(SPECIES, bias, biasAt + i, in);
      xV.sub(means).mul(rstds).fma(weightV, biasV).intoArray(y, yAt + i, in);
    }
  }

  @Override
  public void normGradient(
      float meanG,
      float meanGx,
      float rstd,
      float[] x,
      int xAt,
      float[] g,
      int gAt,
      float[] add,
      int addAt,
      float[] dx,
      int dxAt,
      int count) {
    FloatVector meanGs = broadcast(SPECIES, meanG);
    FloatVector meanGxs = broadcast(SPECIES, -meanGx);
    FloatVector rstds = broadcast(SPECIES, rstd);
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      FloatVector xV = fromArray(SPECIES, x, xAt + i);
      FloatVector gV = fromArray(SPECIES, g, gAt + i);
      FloatVector addV = fromArray(SPECIES, add, addAt + i);
      xV.fma(meanGxs, gV.sub(meanGs)).fma(rstds, addV).intoArray(dx, dxAt + i);
    }
    if (i < count) {
      VectorMask<Float> in = SPECIES.indexInRange(i, count);
      FloatVector xV = fromArray(SPECIES, x, xAt + i, in);
      FloatVector gV = fromArray(SPECIES, g, gAt + i, in);
      FloatVector addV = fromArray(SPECIES, add, addAt + i, in);
      xV.fma(meanGxs, gV.sub(meanGs)).fma(rstds, addV).intoArray(dx, dxAt + i, in);
    }
  }

  @Override
  public float sum(float[] x, int xAt, int count) {
    FloatVector a = broadcast(SPECIES, 0f);
    FloatVector b = broadcast(SPECIES, 0f);
    FloatVector c = broadcast(SPECIES, 0f);
    FloatVector d = broadcast(SPECIES, 0f);
    int i = 0;
    for (; i <= count - 4 * LANES; i += 4 * LANES) {
      a = fromArray(SPECIES, x, xAt + i).add(a);
      b = fromArray(SPECIES, x, xAt + i + LANES).add(b);
      c = fromArray(SPECIES, x, xAt + i + 2 * LANES).add(c);
      d = fromArray(SPECIES, x, xAt + i + 3 * LANES).add(d);
    }
    for (; i <= count - LANES; i += LANES) {
      a = fromArray(SPECIES, x, xAt + i).add(a);
    }
    if (i < count) {
      VectorMask<Float> in = SPECIES.indexInRange(i, count);
      b = fromArray(SPECIES, x, xAt + i, in).add(b);
    }
    FloatVector s = a.add(b).add(c.add(d));
    s = LANES > 8 ? s.add(s.rearrange(BY_8)) : s;
    s = LANES > 4 ? s.add(s.rearrange(BY_4)) : s;
    s = s.add(s.rearrange(BY_2));
    s = s.add(s.rearrange(BY_1));
    return s.lane(0);
  }

  @Override
  public float squaredDeviations(float mean, float[] x, int xAt, int count) {
    FloatVector means = broadcast(SPECIES, mean);
    FloatVector a = broadcast(SPECIES, 0f);
    FloatVector b = broadcast(SPECIES, 0f);
    FloatVector c = broadcast(SPECIES, 0f);
    int i = 0;
    for (; i <= count - 2 * LANES; i += 2 * LANES) {
      FloatVector first = fromArray(SPECIES, x, xAt + i).sub(means);
      FloatVector second = fromArray(SPECIES, x, xAt + i + LANES).sub(means);
      a = first.fma(first, a);
      b = second.fma(second, b);
    }
    if (i <= count - LANES) {
      FloatVector deviation = fromArray(SPECIES, x, xAt + i).sub(means);
      c = deviation.fma(deviation, c);
      i += LANES;
    }
    if (i < count) {
      VectorMask<Float> in = SPECIES.indexInRange(i, count);
      FloatVector deviation = fromArray(SPECIES, x, xAt + i, in).lanewise(VectorOperators.SUB, means, in);
      a = deviation.fma(deviation, a);
    }
    FloatVector s = a.add(b).add(c);
    s = LANES > 8 ? s.add(s.rearrange(BY_8)) : s;
    s = LANES > 4 ? s.add(s.rearrange(BY_4)) : s;
    s = s.add(s.rearrange(BY_2));
    s = s.add(s.rearrange(BY_1));
    return s.lane(0);
  }

  @Override
  public void normGradientSums(
      float mean,
      float rstd,
      float[] x,
      int xAt,
      float[] dy,
      int dyAt,
      float[] weight,
      int weightAt,
      float[] dParameters,
      int dWeightAt,
      int dBiasAt,
      float[] sums,
      int sumsAt,
      int count) {
    FloatVector means = broadcast(SPECIES, mean);
    FloatVector rstds = broadcast(SPECIES, rstd);
    FloatVector a = broadcast(SPECIES, 0f);
    FloatVector b = broadcast(SPECIES, 0f);
    int i = 0;
    for (; i <= count - LANES; i += LANES) {
      FloatVector y = fromArray(SPECIES, dy, dyAt + i);
      FloatVector normal = fromArray(SPECIES, x, xAt + i).sub(means).mul(rstds);
      normal.intoArray(x, xAt + i);
      y.add(fromArray(SPECIES, dParameters, dBiasAt + i)).intoArray(dParameters, dBiasAt + i);
      y.fma(normal, fromArray(SPECIES, dParameters, dWeightAt + i)).intoArray(dParameters, dWeightAt + i);
      FloatVector g = y.mul(fromArray(SPECIES, weight, weightAt + i));
      g.intoArray(dy, dyAt + i);
      a = g.add(a);
      b = g.fma(normal, b);
    }
    a = LANES > 8 ? a.add(a.rearrange(BY_8)) : a;
    a = LANES > 4 ? a.add(a.rearrange(BY_4)) : a;
    a = a.add(a.rearrange(BY_2));
    a = a.add(a.rearrange(BY_1));
    b = LANES > 8 ? b.add(b.rearrange(BY_8)) : b;
    b = LANES > 4 ? b.add(b.rearrange(BY_4)) : b;
    b = b.add(b.rearrange(BY_2));
    b = b.add(b.rearrange(BY_1));
    float sum = a.lane(0);
    float sumX = b.lane(0);
    for (; i < count; i++) {
      float y = dy[dyAt + i];
      float normal = (x[xAt + i] - mean) * rstd;
      x[xAt + i] = normal;
      dParameters[dBiasAt + i] += y;
      dParameters[dWeightAt + i] = Math.fma(y, normal, dParameters[dWeightAt + i]);
      float g = y * weight[weightAt + i];
      dy[dyAt + i] = g;
      sum += g;
      sumX = Math.fma(g, normal, sumX);
    }
    sums[sumsAt] = sum;
    sums[sumsAt + 1] = sumX;
  }

  /** Lanes moved down by so many, those at the bottom to the top. */
  static VectorShuffle<Float> rotation(int by) {
    return VectorShuffle.fromOp(SPECIES, lane -> (lane + by) % LANES);
  }
}
