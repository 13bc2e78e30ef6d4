package dev.fovea.kernels.cpu.simd;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorShuffle;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link Losses} with the Vector API; what is left of a row after whole vectors is done in plain Java.
 *
 * <p>Sums over lanes go by halves and are written out: the order of {@code reduceLanes} differs between interpreted and
 * compiled code, and a method of their own may be compiled with a boxed vector.
 */
final class VectorLosses implements Losses {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final int LANES = F.length();
  private static final VectorShuffle<Float> HALF = rotation(LANES / 2);
  private static final VectorShuffle<Float> QUARTER = rotation(LANES / 4);
  private static final VectorShuffle<Float> EIGHTH = rotation(LANES / 8);
  private static final VectorShuffle<Float> SIXTEENTH = rotation(LANES / 16);
  private static final Losses SCALAR = new ScalarLosses();

  private static VectorShuffle<Float> rotation(int lanes) {
    return VectorShuffle.fromOp(F, i -> (i + lanes) % LANES);
  }

  @Override
  public float max(float[] x, int at, int count) {
    int whole = F.loopBound(count);
    FloatVector a = FloatVector.broadcast(F, Float.NEGATIVE_INFINITY);
    FloatVector b = a;
    int i = 0;
    for (; i < whole - LANES; i += 2 * LANES) {
      a = FloatVector.fromArray(F, x, at + i).max(a);
      b = FloatVector.fromArray(F, x, at + i + LANES).max(b);
    }
    for (; i < whole; i += LANES) {
      a = FloatVector.fromArray(F, x, at + i).max(a);
    }
    float rest = SCALAR.max(x, at + whole, count - whole);
    return Math.max(rest, a.max(b).reduceLanes(VectorOperators.MAX));
  }

  @Override
  public float expSum(float max, float[] x, int xAt, float[] y, int yAt, int count) {
    int whole = F.loopBound(count);
    FloatVector sum = FloatVector.zero(F);
    for (int i = 0; i < whole; i += LANES) {
      FloatVector e = VectorMaths.exp(FloatVector.fromArray(F, x, xAt + i).sub(max));
      e.intoArray(y, yAt + i);
      sum = e.add(sum);
    }
    sum = sum.add(sum.rearrange(HALF));
    sum = sum.add(sum.rearrange(QUARTER));
    sum = LANES > 4 ? sum.add(sum.rearrange(EIGHTH)) : sum;
    sum = LANES > 8 ? sum.add(sum.rearrange(SIXTEENTH)) : sum;
    return sum.lane(0) + SCALAR.expSum(max, x, xAt + whole, y, yAt + whole, count - whole);
  }

  @Override
  public float shiftedSum(float shift, float[] x, int at, int count) {
    int whole = F.loopBound(count);
    FloatVector a = FloatVector.zero(F);
    FloatVector b = a;
    int i = 0;
    for (; i < whole - LANES; i += 2 * LANES) {
      a = FloatVector.fromArray(F, x, at + i).sub(shift).add(a);
      b = FloatVector.fromArray(F, x, at + i + LANES).sub(shift).add(b);
    }
    for (; i < whole; i += LANES) {
      a = FloatVector.fromArray(F, x, at + i).sub(shift).add(a);
    }
    FloatVector sum = a.add(b);
    sum = sum.add(sum.rearrange(HALF));
    sum = sum.add(sum.rearrange(QUARTER));
    sum = LANES > 4 ? sum.add(sum.rearrange(EIGHTH)) : sum;
    sum = LANES > 8 ? sum.add(sum.rearrange(SIXTEENTH)) : sum;
    return sum.lane(0) + SCALAR.shiftedSum(shift, x, at + whole, count - whole);
  }

  @Override
  public float shiftedDot(float shift, float[] x, int xAt, float[] t, int tAt, int count) {
    int whole = F.loopBound(count);
    FloatVector sum = FloatVector.zero(F);
    for (int i = 0; i < whole; i += LANES) {
      FloatVector target = FloatVector.fromArray(F, t, tAt + i);
      FloatVector term = FloatVector.fromArray(F, x, xAt + i).sub(shift).mul(target);
      sum = term.blend(0f, target.compare(VectorOperators.EQ, 0f)).add(sum);
    }
    sum = sum.add(sum.rearrange(HALF));
    sum = sum.add(sum.rearrange(QUARTER));
    sum = LANES > 4 ? sum.add(sum.rearrange(EIGHTH)) : sum;
    sum = LANES > 8 ? sum.add(sum.rearrange(SIXTEENTH)) : sum;
    return sum.lane(0) + SCALAR.shiftedDot(shift, x, xAt + whole, t, tAt + whole, count - whole);
  }

  @Override
  public void affine(float a, float b, float[] x, int at, int count) {
    int whole = F.loopBound(count);
    FloatVector factor = FloatVector.broadcast(F, a);
    FloatVector offset = FloatVector.broadcast(F, b);
    for (int i = at; i < at + whole; i += LANES) {
      FloatVector.fromArray(F, x, i).fma(factor, offset).intoArray(x, i);
    }
    SCALAR.affine(a, b, x, at + whole, count - whole);
  }

  @Override
  public void combine(float a, float[] y, int yAt, float b, float[] t, int tAt, float c, int count) {
    int whole = F.loopBound(count);
    FloatVector ofY = FloatVector.broadcast(F, a);
    FloatVector ofT = FloatVector.broadcast(F, b);
    FloatVector offset = FloatVector.broadcast(F, c);
    for (int i = 0; i < whole; i += LANES) {
      FloatVector target = FloatVector.fromArray(F, t, tAt + i).fma(ofT, offset);
      FloatVector.fromArray(F, y, yAt + i).fma(ofY, target).intoArray(y, yAt + i);
    }
    SCALAR.combine(a, y, yAt + whole, b, t, tAt + whole, c, count - whole);
  }

  @Override
  public void expOfMagnitude(float[] x, int xAt, float[] e, int eAt, float[] u, int uAt, int count) {
    int whole = F.loopBound(count);
    for (int i = 0; i < whole; i += LANES) {
      FloatVector exp =
          VectorMaths.exp(FloatVector.fromArray(F, x, xAt + i).abs().neg());
      exp.intoArray(e, eAt + i);
      exp.add(1f).intoArray(u, uAt + i);
    }
    SCALAR.expOfMagnitude(x, xAt + whole, e, eAt + whole, u, uAt + whole, count - whole);
  }

  @Override
  public float sigmoidCrossEntropy(
      float scale, float[] x, int xAt, float[] t, int tAt, float[] e, int eAt, float[] logU, int logUAt, int count) {
    int whole = F.loopBound(count);
    FloatVector one = FloatVector.broadcast(F, 1f);
    FloatVector sum = FloatVector.zero(F);
    for (int i = 0; i < whole; i += LANES) {
      FloatVector logit = FloatVector.fromArray(F, x, xAt + i);
      FloatVector target = FloatVector.fromArray(F, t, tAt + i);
      FloatVector exp = FloatVector.fromArray(F, e, eAt + i);
      FloatVector u = exp.add(1f);
      FloatVector rest = exp.sub(u.sub(1f)).div(u);
      FloatVector hit = logit.mul(target).blend(0f, target.compare(VectorOperators.EQ, 0f));
      FloatVector log = FloatVector.fromArray(F, logU, logUAt + i).add(rest);
      sum = logit.max(0f).sub(hit).add(log).add(sum);
      FloatVector sigmoid =
          one.blend(exp, logit.compare(VectorOperators.LT, 0f)).div(u);
      sigmoid.sub(target).mul(scale).intoArray(x, xAt + i);
    }
    sum = sum.add(sum.rearrange(HALF));
    sum = sum.add(sum.rearrange(QUARTER));
    sum = LANES > 4 ? sum.add(sum.rearrange(EIGHTH)) : sum;
    sum = LANES > 8 ? sum.add(sum.rearrange(SIXTEENTH)) : sum;
    return sum.lane(0)
        + SCALAR.sigmoidCrossEntropy(
            scale, x, xAt + whole, t, tAt + whole, e, eAt + whole, logU, logUAt + whole, count - whole);
  }
}
