package dev.fovea.kernels.cpu.simd;

/** {@link Arithmetic} in plain Java. */
final class ScalarArithmetic implements Arithmetic {
  @Override
  public void combine(float alpha, float[] x, int xAt, float beta, float[] y, int yAt, float[] z, int zAt, int count) {
    for (int i = 0; i < count; i++) {
      z[zAt + i] = Math.fma(x[xAt + i], alpha, y[yAt + i] * beta);
    }
  }

  @Override
  public void scale(float alpha, float[] x, int xAt, float[] z, int zAt, int count) {
    for (int i = 0; i < count; i++) {
      z[zAt + i] = x[xAt + i] * alpha;
    }
  }

  @Override
  public void add(float[] x, int xAt, float[] y, int yAt, float[] z, int zAt, int count) {
    for (int i = 0; i < count; i++) {
      z[zAt + i] = x[xAt + i] + y[yAt + i];
    }
  }

  @Override
  public void multiply(float alpha, float[] x, int xAt, float[] y, int yAt, float[] z, int zAt, int count) {
    for (int i = 0; i < count; i++) {
      z[zAt + i] = x[xAt + i] * alpha * y[yAt + i];
    }
  }

  @Override
  public void multiplyAdd(float alpha, float[] x, int xAt, float[] y, int yAt, float[] z, int zAt, int count) {
    multiplyAdd(alpha, x, xAt, y, yAt, z, zAt, z, zAt, count);
  }

  @Override
  public void multiplyAdd(
      float alpha, float[] x, int xAt, float[] y, int yAt, float[] add, int addAt, float[] z, int zAt, int count) {
    for (int i = 0; i < count; i++) {
      z[zAt + i] = Math.fma(x[xAt + i] * alpha, y[yAt + i], add[addAt + i]);
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
    for (int i = 0; i < count; i++) {
      y[yAt + i] = Math.fma((x[xAt + i] - mean) * rstd, weight[weightAt + i], bias[biasAt + i]);
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
    for (int i = 0; i < count; i++) {
      dx[dxAt + i] = Math.fma(Math.fma(x[xAt + i], -meanGx, g[gAt + i] - meanG), rstd, add[addAt + i]);
    }
  }

  @Override
  public float sum(float[] x, int xAt, int count) {
    double sum = 0;
    for (int i = 0; i < count; i++) {
      sum += x[xAt + i];
    }
    return (float) sum;
  }

  @Override
  public float squaredDeviations(float mean, float[] x, int xAt, int count) {
    double sum = 0;
    for (int i = 0; i < count; i++) {
      double deviation = x[xAt + i] - mean;
      sum += deviation * deviation;
    }
    return (float) sum;
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
    double sum = 0;
    double sumX = 0;
    for (int i = 0; i < count; i++) {
      float y = dy[dyAt + i];
      float normal = (x[xAt + i] - mean) * rstd;
      x[xAt + i] = normal;
      dParameters[dBiasAt + i] += y;
      dParameters[dWeightAt + i] = Math.fma(y, normal, dParameters[dWeightAt + i]);
      float g = y * weight[weightAt + i];
      dy[dyAt + i] = g;
      sum += g;
      sumX += (double) g * normal;
    }
    sums[sumsAt] = (float) sum;
    sums[sumsAt + 1] = (float) sumX;
  }
}
