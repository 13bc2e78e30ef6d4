package dev.fovea.kernels.cpu.simd;

/** {@link Updates} in plain Java. */
final class ScalarUpdates implements Updates {
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
    for (int i = at; i < at + count; i++) {
      float gradient = g[i] * scale;
      float mean = Math.fma(1 - beta1, gradient - m[i], m[i]);
      float square = Math.fma((1 - beta2) * gradient, gradient, beta2 * v[i]);
      float step = mean / Math.fma((float) Math.sqrt(square), rootScale, eps);
      m[i] = mean;
      v[i] = square;
      p[i] = Math.fma(-rate, step, shrink * p[i]);
    }
  }

  @Override
  public void normalized(float[] g, float[] v, int at, int count, float scale, float beta2, float eps) {
    for (int i = at; i < at + count; i++) {
      float gradient = g[i] * scale;
      float square = Math.fma(1 - beta2, Math.fma(gradient, gradient, eps), beta2 * v[i]);
      v[i] = square;
      g[i] = gradient / (float) Math.sqrt(square);
    }
  }

  @Override
  public void factored(float[] g, int at, int count, float scale, float row, float[] columns, int columnsAt) {
    for (int i = 0; i < count; i++) {
      g[at + i] = g[at + i] * scale * row * columns[columnsAt + i];
    }
  }

  @Override
  public void average(
      float[] p, float[] g, float[] m, int at, int count, float kept, float fresh, float shrink, float rate) {
    for (int i = at; i < at + count; i++) {
      m[i] = Math.fma(fresh, g[i], kept * m[i]);
      p[i] = Math.fma(-rate, m[i], shrink * p[i]);
    }
  }

  @Override
  public void multiplyBf16(float[] m, int at, int count, float factor) {
    for (int i = at; i < at + count; i++) {
      m[i] = Float.intBitsToFloat(ScalarConvert.bf16(m[i] * factor) << 16);
    }
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
    for (int i = at; i < at + count; i++) {
      float d = Math.fma(decay, p[i], g[i] * scale);
      float moving = Math.fma(momentum, m[i], d);
      m[i] = moving;
      p[i] = Math.fma(-rate, nesterov ? Math.fma(momentum, moving, d) : moving, p[i]);
    }
  }

  @Override
  public void squares(float[] g, int at, int count, float scale, float[] to) {
    for (int i = at; i < at + count; i++) {
      float gradient = g[i] * scale;
      to[i] = gradient * gradient;
    }
  }

  @Override
  public void reciprocalRoots(float[] x, int at, int count) {
    for (int i = at; i < at + count; i++) {
      x[i] = 1 / (float) Math.sqrt(x[i]);
    }
  }
}
