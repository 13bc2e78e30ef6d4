package dev.fovea.kernels.cpu.simd;

/** {@link Losses} in plain Java. Sums are kept in double precision: here that costs nothing. */
final class ScalarLosses implements Losses {
  private final Maths maths = new ScalarMaths();

  @Override
  public float max(float[] x, int at, int count) {
    float max = Float.NEGATIVE_INFINITY;
    for (int i = at; i < at + count; i++) {
      max = Math.max(max, x[i]);
    }
    return max;
  }

  @Override
  public float expSum(float max, float[] x, int xAt, float[] y, int yAt, int count) {
    for (int i = 0; i < count; i++) {
      y[yAt + i] = x[xAt + i] - max;
    }
    maths.exp(y, yAt, y, yAt, count);
    double sum = 0;
    for (int i = yAt; i < yAt + count; i++) {
      sum += y[i];
    }
    return (float) sum;
  }

  @Override
  public float shiftedSum(float shift, float[] x, int at, int count) {
    double sum = 0;
    for (int i = at; i < at + count; i++) {
      sum += x[i] - shift;
    }
    return (float) sum;
  }

  @Override
  public float shiftedDot(float shift, float[] x, int xAt, float[] t, int tAt, int count) {
    double sum = 0;
    for (int i = 0; i < count; i++) {
      if (t[tAt + i] != 0) {
        sum += t[tAt + i] * (x[xAt + i] - shift);
      }
    }
    return (float) sum;
  }

  @Override
  public void affine(float a, float b, float[] x, int at, int count) {
    for (int i = at; i < at + count; i++) {
      x[i] = Math.fma(a, x[i], b);
    }
  }

  @Override
  public void combine(float a, float[] y, int yAt, float b, float[] t, int tAt, float c, int count) {
    for (int i = 0; i < count; i++) {
      y[yAt + i] = Math.fma(a, y[yAt + i], Math.fma(b, t[tAt + i], c));
    }
  }

  @Override
  public void expOfMagnitude(float[] x, int xAt, float[] e, int eAt, float[] u, int uAt, int count) {
    for (int i = 0; i < count; i++) {
      e[eAt + i] = -Math.abs(x[xAt + i]);
    }
    maths.exp(e, eAt, e, eAt, count);
    for (int i = 0; i < count; i++) {
      u[uAt + i] = 1 + e[eAt + i];
    }
  }

  @Override
  public float sigmoidCrossEntropy(
      float scale, float[] x, int xAt, float[] t, int tAt, float[] e, int eAt, float[] logU, int logUAt, int count) {
    double sum = 0;
    for (int i = 0; i < count; i++) {
      float logit = x[xAt + i];
      float target = t[tAt + i];
      float exp = e[eAt + i];
      float u = 1 + exp;
      float rest = (exp - (u - 1)) / u; // what 1 + e lost: log(u + d) = log u + d / u
      float hit = target == 0 ? 0 : target * logit;
      sum += Math.max(logit, 0) - hit + (logU[logUAt + i] + rest);
      float sigmoid = logit < 0 ? exp / u : 1 / u;
      x[xAt + i] = scale * (sigmoid - target);
    }
    return (float) sum;
  }
}
