package dev.fovea.kernels.cpu.simd;

/** {@link Rows} in plain Java. */
final class ScalarRows implements Rows {
  @Override
  public void scale(float[] x, int at, int count, float factor) {
    for (int i = at; i < at + count; i++) {
      x[i] *= factor;
    }
  }

  @Override
  public void add(float[] x, int at, float[] y, int yAt, int count) {
    for (int i = 0; i < count; i++) {
      x[at + i] += y[yAt + i];
    }
  }

  @Override
  public void multiply(float[] x, int at, float[] y, int yAt, int count) {
    for (int i = 0; i < count; i++) {
      x[at + i] *= y[yAt + i];
    }
  }

  @Override
  public void normalize(float[] x, int at, int count, float mean, float factor, float[] weight, int weightAt) {
    for (int i = 0; i < count; i++) {
      x[at + i] = (x[at + i] - mean) * factor * weight[weightAt + i];
    }
  }

  @Override
  public float sum(float[] x, int at, int count) {
    float sum = 0;
    for (int i = at; i < at + count; i++) {
      sum += x[i];
    }
    return sum;
  }

  @Override
  public float sumOfSquares(float[] x, int at, int count, float mean) {
    float sum = 0;
    for (int i = at; i < at + count; i++) {
      float deviation = x[i] - mean;
      sum += deviation * deviation;
    }
    return sum;
  }
}
