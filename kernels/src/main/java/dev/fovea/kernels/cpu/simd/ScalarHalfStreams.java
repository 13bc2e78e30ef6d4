package dev.fovea.kernels.cpu.simd;

import static dev.fovea.kernels.cpu.simd.Memory.ALL;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.fovea.kernels.Activation;

/** {@link Streams} of BF16 in plain Java. */
final class ScalarHalfStreams implements Streams {
  @Override
  public boolean takes(int width) {
    return true;
  }

  @Override
  public void arrange(float[] x, int at, int count) {
    // As they are.
  }

  @Override
  public void restore(float[] x, int at, int count) {
    // As they are.
  }

  @Override
  public void combine(float alpha, long x, float beta, long y, long z, int count) {
    for (int i = 0; i < count; i++) {
      set(z + 2L * i, Math.fma(alpha, get(x + 2L * i), beta * get(y + 2L * i)));
    }
  }

  @Override
  public void scale(float alpha, long x, long z, int count) {
    for (long i = 0; i < 2L * count; i += 2) {
      set(z + i, alpha * get(x + i));
    }
  }

  @Override
  public void multiply(long x, long y, long z, int count) {
    for (int i = 0; i < count; i++) {
      set(z + 2L * i, get(x + 2L * i) * get(y + 2L * i));
    }
  }

  @Override
  public void multiplyAdd(float alpha, float[] x, int xAt, long y, long add, long z, int count) {
    for (int i = 0; i < count; i++) {
      set(z + 2L * i, Math.fma(alpha * x[xAt + i], get(y + 2L * i), get(add + 2L * i)));
    }
  }

  @Override
  public void activation(Activation f, long x, long y, int count) {
    for (long i = 0; i < 2L * count; i += 2) {
      set(y + i, ScalarActivations.value(f, get(x + i)));
    }
  }

  @Override
  public void activationGradient(Activation f, long x, long dy, long dx, int count) {
    for (long i = 0; i < 2L * count; i += 2) {
      set(dx + i, ScalarActivations.slope(f, get(x + i)) * get(dy + i));
    }
  }

  @Override
  public void swiglu(long gate, long x, long y, int count) {
    for (long i = 0; i < 2L * count; i += 2) {
      set(y + i, ScalarActivations.value(Activation.SILU, get(gate + i)) * get(x + i));
    }
  }

  @Override
  public void swigluGradient(long gate, long x, long dy, long dGate, long dx, int count) {
    for (long i = 0; i < 2L * count; i += 2) {
      float g = get(gate + i);
      float d = get(dy + i);
      float product = d * get(x + i);
      set(dGate + i, ScalarActivations.slope(Activation.SILU, g) * product);
      set(dx + i, ScalarActivations.gate(g) * d);
    }
  }

  @Override
  public float sum(long x, int count) {
    double sum = 0;
    for (long i = 0; i < 2L * count; i += 2) {
      sum += get(x + i);
    }
    return (float) sum;
  }

  @Override
  public float squaredDeviations(float mean, long x, int count) {
    double sum = 0;
    for (long i = 0; i < 2L * count; i += 2) {
      double deviation = get(x + i) - mean;
      sum += deviation * deviation;
    }
    return (float) sum;
  }

  @Override
  public void normalize(float mean, float rstd, long x, float[] weight, float[] bias, long y, int count) {
    for (int i = 0; i < count; i++) {
      set(y + 2L * i, Math.fma((get(x + 2L * i) - mean) * rstd, weight[i], bias[i]));
    }
  }

  @Override
  public void normGradientSums(float mean, float rstd, long x, long dy, long weight, float[] sums, int count) {
    double sum = 0;
    double sumN = 0;
    for (int i = 0; i < count; i++) {
      float normal = (get(x + 2L * i) - mean) * rstd;
      float g = get(dy + 2L * i) * ALL.get(JAVA_FLOAT, weight + 4L * i);
      sum += g;
      sumN += (double) g * normal;
    }
    sums[0] = (float) sum;
    sums[1] = (float) sumN;
  }

  @Override
  public void normGradient(
      float mean,
      float rstd,
      float meanG,
      float meanGn,
      long x,
      long dy,
      long weight,
      long dWeight,
      long dBias,
      long add,
      int addStep,
      long dx,
      int count) {
    for (int i = 0; i < count; i++) {
      float slope = get(dy + 2L * i);
      float normal = (get(x + 2L * i) - mean) * rstd;
      ALL.set(JAVA_FLOAT, dBias + 4L * i, ALL.get(JAVA_FLOAT, dBias + 4L * i) + slope);
      ALL.set(JAVA_FLOAT, dWeight + 4L * i, Math.fma(slope, normal, ALL.get(JAVA_FLOAT, dWeight + 4L * i)));
      float rest = Math.fma(normal, -meanGn, slope * ALL.get(JAVA_FLOAT, weight + 4L * i) - meanG);
      set(dx + 2L * i, Math.fma(rest, rstd, get(add + (long) addStep * i)));
    }
  }

  private static float get(long address) {
    return Float.intBitsToFloat(ALL.get(JAVA_SHORT, address) << 16);
  }

  private static void set(long address, float value) {
    ALL.set(JAVA_SHORT, address, ScalarConvert.bf16(value));
  }
}
