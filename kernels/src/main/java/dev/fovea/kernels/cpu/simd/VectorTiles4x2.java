package dev.fovea.kernels.cpu.simd;

import static dev.fovea.kernels.cpu.simd.Memory.ALL;

import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link Tiles} of 4 rows by two vectors: 8 sums, the most that C2 keeps in the 16 registers of AVX2 without spilling.
 * Written out for the reasons in {@link VectorTiles8x2}.
 */
final class VectorTiles4x2 implements Tiles {
  private static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
  private static final int LANES = S.length();
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int ROWS = 4;
  private static final int COLUMNS = 2 * LANES;

  @Override
  public int rows() {
    return ROWS;
  }

  @Override
  public int columns() {
    return COLUMNS;
  }

  @Override
  public void multiply(int k, float[] a, int aAt, float[] b, int bAt, float[] c, int cAt, int ldc, boolean accumulate) {
    FloatVector c00 = FloatVector.zero(S);
    FloatVector c01 = FloatVector.zero(S);
    FloatVector c10 = FloatVector.zero(S);
    FloatVector c11 = FloatVector.zero(S);
    FloatVector c20 = FloatVector.zero(S);
    FloatVector c21 = FloatVector.zero(S);
    FloatVector c30 = FloatVector.zero(S);
    FloatVector c31 = FloatVector.zero(S);
    for (int p = 0; p < k; p++) {
      FloatVector b0 = FloatVector.fromArray(S, b, bAt + p * COLUMNS);
      FloatVector b1 = FloatVector.fromArray(S, b, bAt + p * COLUMNS + LANES);
      FloatVector a0 = FloatVector.broadcast(S, a[aAt + p * ROWS]);
      c00 = a0.fma(b0, c00);
      c01 = a0.fma(b1, c01);
      FloatVector a1 = FloatVector.broadcast(S, a[aAt + p * ROWS + 1]);
      c10 = a1.fma(b0, c10);
      c11 = a1.fma(b1, c11);
      FloatVector a2 = FloatVector.broadcast(S, a[aAt + p * ROWS + 2]);
      c20 = a2.fma(b0, c20);
      c21 = a2.fma(b1, c21);
      FloatVector a3 = FloatVector.broadcast(S, a[aAt + p * ROWS + 3]);
      c30 = a3.fma(b0, c30);
      c31 = a3.fma(b1, c31);
    }
    if (accumulate) {
      c00 = c00.add(FloatVector.fromArray(S, c, cAt));
      c01 = c01.add(FloatVector.fromArray(S, c, cAt + LANES));
      c10 = c10.add(FloatVector.fromArray(S, c, cAt + ldc));
      c11 = c11.add(FloatVector.fromArray(S, c, cAt + ldc + LANES));
      c20 = c20.add(FloatVector.fromArray(S, c, cAt + 2 * ldc));
      c21 = c21.add(FloatVector.fromArray(S, c, cAt + 2 * ldc + LANES));
      c30 = c30.add(FloatVector.fromArray(S, c, cAt + 3 * ldc));
      c31 = c31.add(FloatVector.fromArray(S, c, cAt + 3 * ldc + LANES));
    }
    c00.intoArray(c, cAt);
    c01.intoArray(c, cAt + LANES);
    c10.intoArray(c, cAt + ldc);
    c11.intoArray(c, cAt + ldc + LANES);
    c20.intoArray(c, cAt + 2 * ldc);
    c21.intoArray(c, cAt + 2 * ldc + LANES);
    c30.intoArray(c, cAt + 3 * ldc);
    c31.intoArray(c, cAt + 3 * ldc + LANES);
  }

  @Override
  public void multiply(int k, float[] a, int aAt, long b, float[] c, int cAt, int ldc, boolean accumulate) {
    FloatVector c00 = FloatVector.zero(S);
    FloatVector c01 = FloatVector.zero(S);
    FloatVector c10 = FloatVector.zero(S);
    FloatVector c11 = FloatVector.zero(S);
    FloatVector c20 = FloatVector.zero(S);
    FloatVector c21 = FloatVector.zero(S);
    FloatVector c30 = FloatVector.zero(S);
    FloatVector c31 = FloatVector.zero(S);
    int end = 4 * k * COLUMNS;
    for (int p = 0, q = aAt; p < end; p += 4 * COLUMNS, q += ROWS) {
      FloatVector b0 = FloatVector.fromMemorySegment(S, ALL, b + p, ORDER);
      FloatVector b1 = FloatVector.fromMemorySegment(S, ALL, b + p + 4L * LANES, ORDER);
      FloatVector a0 = FloatVector.broadcast(S, a[q]);
      c00 = a0.fma(b0, c00);
      c01 = a0.fma(b1, c01);
      FloatVector a1 = FloatVector.broadcast(S, a[q + 1]);
      c10 = a1.fma(b0, c10);
      c11 = a1.fma(b1, c11);
      FloatVector a2 = FloatVector.broadcast(S, a[q + 2]);
      c20 = a2.fma(b0, c20);
      c21 = a2.fma(b1, c21);
      FloatVector a3 = FloatVector.broadcast(S, a[q + 3]);
      c30 = a3.fma(b0, c30);
      c31 = a3.fma(b1, c31);
    }
    if (accumulate) {
      c00 = c00.add(FloatVector.fromArray(S, c, cAt));
      c01 = c01.add(FloatVector.fromArray(S, c, cAt + LANES));
      c10 = c10.add(FloatVector.fromArray(S, c, cAt + ldc));
      c11 = c11.add(FloatVector.fromArray(S, c, cAt + ldc + LANES));
      c20 = c20.add(FloatVector.fromArray(S, c, cAt + 2 * ldc));
      c21 = c21.add(FloatVector.fromArray(S, c, cAt + 2 * ldc + LANES));
      c30 = c30.add(FloatVector.fromArray(S, c, cAt + 3 * ldc));
      c31 = c31.add(FloatVector.fromArray(S, c, cAt + 3 * ldc + LANES));
    }
    c00.intoArray(c, cAt);
    c01.intoArray(c, cAt + LANES);
    c10.intoArray(c, cAt + ldc);
    c11.intoArray(c, cAt + ldc + LANES);
    c20.intoArray(c, cAt + 2 * ldc);
    c21.intoArray(c, cAt + 2 * ldc + LANES);
    c30.intoArray(c, cAt + 3 * ldc);
    c31.intoArray(c, cAt + 3 * ldc + LANES);
  }

  @Override
  public void multiplyHalf(
      int k, float[] a, int aAt, float[] b, int bAt, float[] c, int cAt, int ldc, boolean accumulate) {
    FloatVector c00 = FloatVector.zero(S);
    FloatVector c10 = FloatVector.zero(S);
    FloatVector c20 = FloatVector.zero(S);
    FloatVector c30 = FloatVector.zero(S);
    for (int p = 0; p < k; p++) {
      FloatVector b0 = FloatVector.fromArray(S, b, bAt + p * COLUMNS);
      FloatVector a0 = FloatVector.broadcast(S, a[aAt + p * ROWS]);
      c00 = a0.fma(b0, c00);
      FloatVector a1 = FloatVector.broadcast(S, a[aAt + p * ROWS + 1]);
      c10 = a1.fma(b0, c10);
      FloatVector a2 = FloatVector.broadcast(S, a[aAt + p * ROWS + 2]);
      c20 = a2.fma(b0, c20);
      FloatVector a3 = FloatVector.broadcast(S, a[aAt + p * ROWS + 3]);
      c30 = a3.fma(b0, c30);
    }
    if (accumulate) {
      c00 = c00.add(FloatVector.fromArray(S, c, cAt));
      c10 = c10.add(FloatVector.fromArray(S, c, cAt + ldc));
      c20 = c20.add(FloatVector.fromArray(S, c, cAt + 2 * ldc));
      c30 = c30.add(FloatVector.fromArray(S, c, cAt + 3 * ldc));
    }
    c00.intoArray(c, cAt);
    c10.intoArray(c, cAt + ldc);
    c20.intoArray(c, cAt + 2 * ldc);
    c30.intoArray(c, cAt + 3 * ldc);
  }

  @Override
  public void multiplyRows(
      int k, float[] a, int aAt, float[] b, int bAt, float[] c, int cAt, int ldc, boolean accumulate) {
    FloatVector c00 = FloatVector.zero(S);
    FloatVector c01 = FloatVector.zero(S);
    FloatVector c10 = FloatVector.zero(S);
    FloatVector c11 = FloatVector.zero(S);
    FloatVector c20 = FloatVector.zero(S);
    FloatVector c21 = FloatVector.zero(S);
    FloatVector c30 = FloatVector.zero(S);
    FloatVector c31 = FloatVector.zero(S);
    for (int p = 0; p < k; p++) {
      FloatVector b0 = FloatVector.fromArray(S, b, bAt + p * COLUMNS);
      FloatVector b1 = FloatVector.fromArray(S, b, bAt + p * COLUMNS + LANES);
      FloatVector a0 = FloatVector.broadcast(S, a[aAt + p]);
      c00 = a0.fma(b0, c00);
      c01 = a0.fma(b1, c01);
      FloatVector a1 = FloatVector.broadcast(S, a[aAt + p + COLUMNS]);
      c10 = a1.fma(b0, c10);
      c11 = a1.fma(b1, c11);
      FloatVector a2 = FloatVector.broadcast(S, a[aAt + p + 2 * COLUMNS]);
      c20 = a2.fma(b0, c20);
      c21 = a2.fma(b1, c21);
      FloatVector a3 = FloatVector.broadcast(S, a[aAt + p + 3 * COLUMNS]);
      c30 = a3.fma(b0, c30);
      c31 = a3.fma(b1, c31);
    }
    if (accumulate) {
      c00 = c00.add(FloatVector.fromArray(S, c, cAt));
      c01 = c01.add(FloatVector.fromArray(S, c, cAt + LANES));
      c10 = c10.add(FloatVector.fromArray(S, c, cAt + ldc));
      c11 = c11.add(FloatVector.fromArray(S, c, cAt + ldc + LANES));
      c20 = c20.add(FloatVector.fromArray(S, c, cAt + 2 * ldc));
      c21 = c21.add(FloatVector.fromArray(S, c, cAt + 2 * ldc + LANES));
      c30 = c30.add(FloatVector.fromArray(S, c, cAt + 3 * ldc));
      c31 = c31.add(FloatVector.fromArray(S, c, cAt + 3 * ldc + LANES));
    }
    c00.intoArray(c, cAt);
    c01.intoArray(c, cAt + LANES);
    c10.intoArray(c, cAt + ldc);
    c11.intoArray(c, cAt + ldc + LANES);
    c20.intoArray(c, cAt + 2 * ldc);
    c21.intoArray(c, cAt + 2 * ldc + LANES);
    c30.intoArray(c, cAt + 3 * ldc);
    c31.intoArray(c, cAt + 3 * ldc + LANES);
  }

  @Override
  public void multiplyRowsHalf(
      int k, float[] a, int aAt, float[] b, int bAt, float[] c, int cAt, int ldc, boolean accumulate) {
    FloatVector c00 = FloatVector.zero(S);
    FloatVector c10 = FloatVector.zero(S);
    FloatVector c20 = FloatVector.zero(S);
    FloatVector c30 = FloatVector.zero(S);
    for (int p = 0; p < k; p++) {
      FloatVector b0 = FloatVector.fromArray(S, b, bAt + p * COLUMNS);
      FloatVector a0 = FloatVector.broadcast(S, a[aAt + p]);
      c00 = a0.fma(b0, c00);
      FloatVector a1 = FloatVector.broadcast(S, a[aAt + p + COLUMNS]);
      c10 = a1.fma(b0, c10);
      FloatVector a2 = FloatVector.broadcast(S, a[aAt + p + 2 * COLUMNS]);
      c20 = a2.fma(b0, c20);
      FloatVector a3 = FloatVector.broadcast(S, a[aAt + p + 3 * COLUMNS]);
      c30 = a3.fma(b0, c30);
    }
    if (accumulate) {
      c00 = c00.add(FloatVector.fromArray(S, c, cAt));
      c10 = c10.add(FloatVector.fromArray(S, c, cAt + ldc));
      c20 = c20.add(FloatVector.fromArray(S, c, cAt + 2 * ldc));
      c30 = c30.add(FloatVector.fromArray(S, c, cAt + 3 * ldc));
    }
    c00.intoArray(c, cAt);
    c10.intoArray(c, cAt + ldc);
    c20.intoArray(c, cAt + 2 * ldc);
    c30.intoArray(c, cAt + 3 * ldc);
  }
}
