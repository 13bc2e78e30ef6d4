package dev.fovea.kernels.ptx;

import org.jspecify.annotations.Nullable;

/**
 * {@code mma.sync}: one instruction of 32 lanes multiplies 16 x k by k x 8. Products of 16-bit and tf32 numbers are
 * exact in f32; they are added in f32 in the order of k. A GPU adds several at once and cuts where this rounds.
 *
 * <p>Fragments, with {@code g = lane / 4} and {@code q = lane % 4}: accumulators hold (g, 2q), (g, 2q+1), (g+8, 2q),
 * (g+8, 2q+1). Registers of A with two 16-bit numbers begin at (g, 2q), (g+8, 2q), (g, 2q+8), (g+8, 2q+8), those of B
 * at row 2q and 2q+8 of column g. Registers of tf32 hold A's (g, q), (g+8, q), (g, q+4), (g+8, q+4) and B's rows q,
 * q+4.
 */
final class Matrices implements Op {
  private static final int M = 16;
  private static final int N = 8;

  private final int k;
  private final Type type;
  private final boolean halves;
  private final int[] d;
  private final int[] a;
  private final int[] b;
  private final int[] c;

  private Matrices(Operands o, int k, Type type, boolean halves) {
    this.k = k;
    this.type = type;
    this.halves = halves;
    d = o.regs(0);
    a = o.regs(1);
    b = o.regs(2);
    c = o.regs(3);
    int accumulators = halves ? 2 : 4;
    int each = type == Type.TF32 ? 1 : 2;
    boolean fits = d.length == accumulators && c.length == accumulators;
    if (!fits || a.length != k * M / 32 / each || b.length != k * N / 32 / each) {
      throw o.error("has operands of other sizes than its shape");
    }
  }

  static @Nullable Op compile(Operands o) {
    String shape = "";
    for (int i = 1; i < o.parts(); i++) {
      if (o.part(i).startsWith("m16n8k")) {
        shape = o.part(i);
      }
    }
    if (shape.isEmpty() || !o.has("row") || !o.has("col") || o.typeCount() != 4) {
      return null;
    }
    int k = Integer.parseInt(shape, 6, shape.length(), 10);
    Type type = o.type(1);
    boolean sixteen = (type == Type.BF16 || type == Type.F16) && (k == 8 || k == 16);
    boolean tensor = type == Type.TF32 && (k == 4 || k == 8);
    boolean halves = o.type(0) == Type.F16;
    boolean sums = o.type(0) == o.type(3) && (o.type(0) == Type.F32 || halves && type == Type.F16);
    return (sixteen || tensor) && sums && type == o.type(2) ? new Matrices(o, k, type, halves) : null;
  }

  @Override
  public void run(Warp w, int m) {
    if (w.together(m, -1) == 0) {
      return;
    }
    float[] x = w.matrixA;
    float[] y = w.matrixB;
    float[] z = w.matrixC;
    readA(w.r, x);
    readB(w.r, y);
    readC(w.r, z);
    for (int row = 0; row < M; row++) {
      multiply(x, row * k, y, z, row * N, k);
    }
    write(w.r, z);
  }

  /** One row: eight sums side by side. */
  private static void multiply(float[] x, int xAt, float[] y, float[] z, int zAt, int k) {
    float z0 = z[zAt];
    float z1 = z[zAt + 1];
    float z2 = z[zAt + 2];
    float z3 = z[zAt + 3];
    float z4 = z[zAt + 4];
    float z5 = z[zAt + 5];
    float z6 = z[zAt + 6];
    float z7 = z[zAt + 7];
    for (int i = 0; i < k; i++) {
      float f = x[xAt + i];
      int yAt = i * N;
      z0 += f * y[yAt];
      z1 += f * y[yAt + 1];
      z2 += f * y[yAt + 2];
      z3 += f * y[yAt + 3];
      z4 += f * y[yAt + 4];
      z5 += f * y[yAt + 5];
      z6 += f * y[yAt + 6];
      z7 += f * y[yAt + 7];
    }
    z[zAt] = z0;
    z[zAt + 1] = z1;
    z[zAt + 2] = z2;
    z[zAt + 3] = z3;
    z[zAt + 4] = z4;
    z[zAt + 5] = z5;
    z[zAt + 6] = z6;
    z[zAt + 7] = z7;
  }

  private float number(long bits) {
    return type == Type.BF16 ? Float.intBitsToFloat((int) bits << 16) : Float.float16ToFloat((short) bits);
  }

  private void readA(long[] r, float[] x) {
    for (int i = 0; i < a.length; i++) {
      for (int l = 0; l < Warp.LANES; l++) {
        long bits = r[a[i] + l];
        int row = (l >> 2) + 8 * (i & 1);
        if (type == Type.TF32) {
          x[row * k + (l & 3) + 4 * (i >> 1)] = Float.intBitsToFloat((int) bits & ~0x1fff);
        } else {
          int at = row * k + 2 * (l & 3) + 8 * (i >> 1);
          x[at] = number(bits);
          x[at + 1] = number(bits >>> 16);
        }
      }
    }
  }

  private void readB(long[] r, float[] y) {
    for (int i = 0; i < b.length; i++) {
      for (int l = 0; l < Warp.LANES; l++) {
        long bits = r[b[i] + l];
        int column = l >> 2;
        if (type == Type.TF32) {
          y[((l & 3) + 4 * i) * N + column] = Float.intBitsToFloat((int) bits & ~0x1fff);
        } else {
          int row = 2 * (l & 3) + 8 * i;
          y[row * N + column] = number(bits);
          y[(row + 1) * N + column] = number(bits >>> 16);
        }
      }
    }
  }

  private void readC(long[] r, float[] z) {
    for (int l = 0; l < Warp.LANES; l++) {
      for (int i = 0; i < 4; i++) {
        long bits = r[c[halves ? i >> 1 : i] + l];
        z[accumulator(l, i)] = halves ? Rounding.fromHalf(bits >>> 16 * (i & 1)) : Float.intBitsToFloat((int) bits);
      }
    }
  }

  private void write(long[] r, float[] z) {
    for (int l = 0; l < Warp.LANES; l++) {
      for (int i = 0; i < 4; i += 2) {
        float low = z[accumulator(l, i)];
        float high = z[accumulator(l, i + 1)];
        if (halves) {
          r[d[i >> 1] + l] =
              (long) Rounding.toHalf(high, Rounding.Mode.NEAREST) << 16 | Rounding.toHalf(low, Rounding.Mode.NEAREST);
        } else {
          r[d[i] + l] = Float.floatToRawIntBits(low);
          r[d[i + 1] + l] = Float.floatToRawIntBits(high);
        }
      }
    }
  }

  private static int accumulator(int lane, int i) {
    return ((lane >> 2) + 8 * (i >> 1)) * N + 2 * (lane & 3) + (i & 1);
  }
}
