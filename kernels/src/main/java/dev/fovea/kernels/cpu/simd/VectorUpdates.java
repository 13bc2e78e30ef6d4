package dev.fovea.kernels.cpu.simd;

import static jdk.incubator.vector.FloatVector.broadcast;
import static jdk.incubator.vector.FloatVector.fromArray;

import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/** {@link Updates} with the Vector API; what is left over goes to the plain loops. */
final class VectorUpdates implements Updates {
  private static final VectorSpecies<Float> F = FloatVector.SPECIES_PREFERRED;
  private static final int LANES = F.length();
  private static final Updates SCALAR = new ScalarUpdates();

  @Override
  public void adamW(
      float[] p,
      float[] g,
      float[] m,
      float[] v,
      int at,
      int count,
      float scale,
      float beta1,
      float beta2,
      float eps,
      float shrink,
      float rate,
      float rootScale) {
    int end = at + count - count % LANES;
    for (int i = at; i < end; i += LANES) {
      FloatVector gradient = fromArray(F, g, i).mul(scale);
      FloatVector old = fromArray(F, m, i);
      FloatVector mean = broadcast(F, 1 - beta1).fma(gradient.sub(old), old);
      FloatVector square = gradient.mul(1 - beta2).fma(gradient, fromArray(F, v, i).mul(beta2));
      FloatVector step = mean.div(square.sqrt().fma(broadcast(F, rootScale), broadcast(F, eps)));
      mean.intoArray(m, i);
      square.intoArray(v, i);
      broadcast(F, -rate).fma(step, fromArray(F, p, i).mul(shrink)).intoArray(p, i);
    }
    SCALAR.adamW(p, g, m, v, end, count % LANES, scale, beta1, beta2, eps, shrink, rate, rootScale);
  }

  @Override
  public void normalized(float[] g, float[] v, int at, int count, float scale, float beta2, float eps) {
    int end = at + count - count % LANES;
    for (int i = at; i < end; i += LANES) {
      FloatVector gradient = fromArray(F, g, i).mul(scale);
      FloatVector square = gradient.fma(gradient, broadcast(F, eps));
      square = broadcast(F, 1 - beta2).fma(square, fromArray(F, v, i).mul(beta2));
      square.intoArray(v, i);
      gradient.div(square.sqrt()).intoArray(g, i);
    }
    SCALAR.normalized(g, v, end, count % LANES, scale, beta2, eps);
  }

  @Override
  public void factored(float[] g, int at, int count, float scale, float row, float[] columns, int columnsAt) {
    int end = count - count % LANES;
    for (int i = 0; i < end; i += LANES) {
      fromArray(F, g, at + i).mul(scale).mul(row).mul(fromArray(F, columns, columnsAt + i)).intoArray(g, at + i);
    }
    SCALAR.factored(g, at + end, count - end, scale, row, columns, columnsAt + end);
  }

  @Override
  public void average(
      float[] p, float[] g, float[] m, int at, int count, float kept, float fresh, float shrink, float rate) {
    int end = at + count - count % LANES;
    for (int i = at; i < end; i += LANES) {
      FloatVector mean = broadcast(F, fresh).fma(fromArray(F, g, i), fromArray(F, m, i).mul(kept));
      mean.intoArray(m, i);
      broadcast(F, -rate).fma(mean, fromArray(F, p, i).mul(shrink)).intoArray(p, i);
    }
    SCALAR.average(p, g, m, end, count % LANES, kept, fresh, shrink, rate);
  }

  @Override
  public void multiplyBf16(float[] m, int at, int count, float factor) {
    int end = at + count - count % LANES;
    for (int i = at; i < end; i += LANES) {
      VectorConvert.nearestBf16(fromArray(F, m, i).mul(factor))
          .lanewise(VectorOperators.LSHL, 16)
          .reinterpretAsFloats()
          .intoArray(m, i);
    }
    SCALAR.multiplyBf16(m, end, count % LANES, factor);
  }

  @Override
  public void momentum(
      float[] p,
      float[] g,
      float[] m,
      int at,
      int count,
      float scale,
      float momentum,
      float decay,
      float rate,
      boolean nesterov) {
    int end = at + count - count % LANES;
    for (int i = at; i < end; i += LANES) {
      FloatVector old = fromArray(F, p, i);
      FloatVector d = old.fma(broadcast(F, decay), fromArray(F, g, i).mul(scale));
      FloatVector moving = fromArray(F, m, i).fma(broadcast(F, momentum), d);
      moving.intoArray(m, i);
      FloatVector step = nesterov ? moving.fma(broadcast(F, momentum), d) : moving;
      step.fma(broadcast(F, -rate), old).intoArray(p, i);
    }
    SCALAR.momentum(p, g, m, end, count % LANES, scale, momentum, decay, rate, nesterov);
  }

  @Override
  public void squares(float[] g, int at, int count, float scale, float[] to) {
    int end = at + count - count % LANES;
    for (int i = at; i < end; i += LANES) {
      FloatVector gradient = fromArray(F, g, i).mul(scale);
      gradient.mul(gradient).intoArray(to, i);
    }
    SCALAR.squares(g, end, count % LANES, scale, to);
  }

  @Override
  public void reciprocalRoots(float[] x, int at, int count) {
    int end = at + count - count % LANES;
    for (int i = at; i < end; i += LANES) {
      broadcast(F, 1f).div(fromArray(F, x, i).sqrt()).intoArray(x, i);
    }
    SCALAR.reciprocalRoots(x, end, count % LANES);
  }
}
