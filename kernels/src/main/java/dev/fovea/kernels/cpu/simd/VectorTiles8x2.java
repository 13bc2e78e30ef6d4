package dev.fovea.kernels.cpu.simd;

import static dev.fovea.kernels.cpu.simd.Memory.ALL;

import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link Tiles} of 8 rows by two vectors: 16 sums, for machines with 32 vector registers (AVX-512, NEON).
 *
 * <p>The sums are local variables, written out: C2 keeps vectors in registers only where it sees each by name, and does
 * not inline a helper at the end of methods this large, which would put the sums on the heap.
 */
final class VectorTiles8x2 implements Tiles {
  private static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
  private static final int LANES = S.length();
  private static final ByteOrder ORDER = ByteOrder.nativeOrder();
  private static final int ROWS = 8;
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
    FloatVector c40 = FloatVector.zero(S);
    FloatVector c41 = FloatVector.zero(S);
    FloatVector c50 = FloatVector.zero(S);
    FloatVector c51 = FloatVector.zero(S);
    FloatVector c60 = FloatVector.zero(S);
    FloatVector c61 = FloatVector.zero(S);
    FloatVector c70 = FloatVector.zero(S);
    FloatVector c71 = FloatVector.zero(S);
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
      FloatVector a4 = FloatVector.broadcast(S, a[aAt + p * ROWS + 4]);
      c40 = a4.fma(b0, c40);
      c41 = a4.fma(b1, c41);
      FloatVector a5 = FloatVector.broadcast(S, a[aAt + p * ROWS + 5]);
      c50 = a5.fma(b0, c50);
      c51 = a5.fma(b1, c51);
      FloatVector a6 = FloatVector.broadcast(S, a[aAt + p * ROWS + 6]);
      c60 = a6.fma(b0, c60);
      c61 = a6.fma(b1, c61);
      FloatVector a7 = FloatVector.broadcast(S, a[aAt + p * ROWS + 7]);
      c70 = a7.fma(b0, c70);
      c71 = a7.fma(b1, c71);
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
      c40 = c40.add(FloatVector.fromArray(S, c, cAt + 4 * ldc));
      c41 = c41.add(FloatVector.fromArray(S, c, cAt + 4 * ldc + LANES));
      c50 = c50.add(FloatVector.fromArray(S, c, cAt + 5 * ldc));
      c51 = c51.add(FloatVector.fromArray(S, c, cAt + 5 * ldc + LANES));
      c60 = c60.add(FloatVector.fromArray(S, c, cAt + 6 * ldc));
      c61 = c61.add(FloatVector.fromArray(S, c, cAt + 6 * ldc + LANES));
      c70 = c70.add(FloatVector.fromArray(S, c, cAt + 7 * ldc));
      c71 = c71.add(FloatVector.fromArray(S, c, cAt + 7 * ldc + LANES));
    }
    c00.intoArray(c, cAt);
    c01.intoArray(c, cAt + LANES);
    c10.intoArray(c, cAt + ldc);
    c11.intoArray(c, cAt + ldc + LANES);
    c20.intoArray(c, cAt + 2 * ldc);
    c21.intoArray(c, cAt + 2 * ldc + LANES);
    c30.intoArray(c, cAt + 3 * ldc);
    c31.intoArray(c, cAt + 3 * ldc + LANES);
    c40.intoArray(c, cAt + 4 * ldc);
    c41.intoArray(c, cAt + 4 * ldc + LANES);
    c50.intoArray(c, cAt + 5 * ldc);
    c51.intoArray(c, cAt + 5 * ldc + LANES);
    c60.intoArray(c, cAt + 6 * ldc);
    c61.intoArray(c, cAt + 6 * ldc + LANES);
    c70.intoArray(c, cAt + 7 * ldc);
    c71.intoArray(c, cAt + 7 * ldc + LANES);
  }

  @Override
  public boolean readsNative() {
    return true;
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
    FloatVector c40 = FloatVector.zero(S);
    FloatVector c41 = FloatVector.zero(S);
    FloatVector c50 = FloatVector.zero(S);
    FloatVector c51 = FloatVector.zero(S);
    FloatVector c60 = FloatVector.zero(S);
    FloatVector c61 = FloatVector.zero(S);
    FloatVector c70 = FloatVector.zero(S);
    FloatVector c71 = FloatVector.zero(S);
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
      FloatVector a4 = FloatVector.broadcast(S, a[q + 4]);
      c40 = a4.fma(b0, c40);
      c41 = a4.fma(b1, c41);
      FloatVector a5 = FloatVector.broadcast(S, a[q + 5]);
      c50 = a5.fma(b0, c50);
      c51 = a5.fma(b1, c51);
      FloatVector a6 = FloatVector.broadcast(S, a[q + 6]);
      c60 = a6.fma(b0, c60);
      c61 = a6.fma(b1, c61);
      FloatVector a7 = FloatVector.broadcast(S, a[q + 7]);
      c70 = a7.fma(b0, c70);
      c71 = a7.fma(b1, c71);
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
      c40 = c40.add(FloatVector.fromArray(S, c, cAt + 4 * ldc));
      c41 = c41.add(FloatVector.fromArray(S, c, cAt + 4 * ldc + LANES));
      c50 = c50.add(FloatVector.fromArray(S, c, cAt + 5 * ldc));
      c51 = c51.add(FloatVector.fromArray(S, c, cAt + 5 * ldc + LANES));
      c60 = c60.add(FloatVector.fromArray(S, c, cAt + 6 * ldc));
      c61 = c61.add(FloatVector.fromArray(S, c, cAt + 6 * ldc + LANES));
      c70 = c70.add(FloatVector.fromArray(S, c, cAt + 7 * ldc));
      c71 = c71.add(FloatVector.fromArray(S, c, cAt + 7 * ldc + LANES));
    }
    c00.intoArray(c, cAt);
    c01.intoArray(c, cAt + LANES);
    c10.intoArray(c, cAt + ldc);
    c11.intoArray(c, cAt + ldc + LANES);
    c20.intoArray(c, cAt + 2 * ldc);
    c21.intoArray(c, cAt + 2 * ldc + LANES);
    c30.intoArray(c, cAt + 3 * ldc);
    c31.intoArray(c, cAt + 3 * ldc + LANES);
    c40.intoArray(c, cAt + 4 * ldc);
    c41.intoArray(c, cAt + 4 * ldc + LANES);
    c50.intoArray(c, cAt + 5 * ldc);
    c51.intoArray(c, cAt + 5 * ldc + LANES);
    c60.intoArray(c, cAt + 6 * ldc);
    c61.intoArray(c, cAt + 6 * ldc + LANES);
    c70.intoArray(c, cAt + 7 * ldc);
    c71.intoArray(c, cAt + 7 * ldc + LANES);
  }

  @Override
  public void multiplyHalf(
      int k, float[] a, int aAt, float[] b, int bAt, float[] c, int cAt, int ldc, boolean accumulate) {
    FloatVector c00 = FloatVector.zero(S);
    FloatVector c10 = FloatVector.zero(S);
    FloatVector c20 = FloatVector.zero(S);
    FloatVector c30 = FloatVector.zero(S);
    FloatVector c40 = FloatVector.zero(S);
    FloatVector c50 = FloatVector.zero(S);
    FloatVector c60 = FloatVector.zero(S);
    FloatVector c70 = FloatVector.zero(S);
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
      FloatVector a4 = FloatVector.broadcast(S, a[aAt + p * ROWS + 4]);
      c40 = a4.fma(b0, c40);
      FloatVector a5 = FloatVector.broadcast(S, a[aAt + p * ROWS + 5]);
      c50 = a5.fma(b0, c50);
      FloatVector a6 = FloatVector.broadcast(S, a[aAt + p * ROWS + 6]);
      c60 = a6.fma(b0, c60);
      FloatVector a7 = FloatVector.broadcast(S, a[aAt + p * ROWS + 7]);
      c70 = a7.fma(b0, c70);
    }
    if (accumulate) {
      c00 = c00.add(FloatVector.fromArray(S, c, cAt));
      c10 = c10.add(FloatVector.fromArray(S, c, cAt + ldc));
      c20 = c20.add(FloatVector.fromArray(S, c, cAt + 2 * ldc));
      c30 = c30.add(FloatVector.fromArray(S, c, cAt + 3 * ldc));
      c40 = c40.add(FloatVector.fromArray(S, c, cAt + 4 * ldc));
      c50 = c50.add(FloatVector.fromArray(S, c, cAt + 5 * ldc));
      c60 = c60.add(FloatVector.fromArray(S, c, cAt + 6 * ldc));
      c70 = c70.add(FloatVector.fromArray(S, c, cAt + 7 * ldc));
    }
    c00.intoArray(c, cAt);
    c10.intoArray(c, cAt + ldc);
    c20.intoArray(c, cAt + 2 * ldc);
    c30.intoArray(c, cAt + 3 * ldc);
    c40.intoArray(c, cAt + 4 * ldc);
    c50.intoArray(c, cAt + 5 * ldc);
    c60.intoArray(c, cAt + 6 * ldc);
    c70.intoArray(c, cAt + 7 * ldc);
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
    FloatVector c40 = FloatVector.zero(S);
    FloatVector c41 = FloatVector.zero(S);
    FloatVector c50 = FloatVector.zero(S);
    FloatVector c51 = FloatVector.zero(S);
    FloatVector c60 = FloatVector.zero(S);
    FloatVector c61 = FloatVector.zero(S);
    FloatVector c70 = FloatVector.zero(S);
    FloatVector c71 = FloatVector.zero(S);
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
      FloatVector a4 = FloatVector.broadcast(S, a[aAt + p + 4 * COLUMNS]);
      c40 = a4.fma(b0, c40);
      c41 = a4.fma(b1, c41);
      FloatVector a5 = FloatVector.broadcast(S, a[aAt + p + 5 * COLUMNS]);
      c50 = a5.fma(b0, c50);
      c51 = a5.fma(b1, c51);
      FloatVector a6 = FloatVector.broadcast(S, a[aAt + p + 6 * COLUMNS]);
      c60 = a6.fma(b0, c60);
      c61 = a6.fma(b1, c61);
      FloatVector a7 = FloatVector.broadcast(S, a[aAt + p + 7 * COLUMNS]);
      c70 = a7.fma(b0, c70);
      c71 = a7.fma(b1, c71);
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
      c40 = c40.add(FloatVector.fromArray(S, c, cAt + 4 * ldc));
      c41 = c41.add(FloatVector.fromArray(S, c, cAt + 4 * ldc + LANES));
      c50 = c50.add(FloatVector.fromArray(S, c, cAt + 5 * ldc));
      c51 = c51.add(FloatVector.fromArray(S, c, cAt + 5 * ldc + LANES));
      c60 = c60.add(FloatVector.fromArray(S, c, cAt + 6 * ldc));
      c61 = c61.add(FloatVector.fromArray(S, c, cAt + 6 * ldc + LANES));
      c70 = c70.add(FloatVector.fromArray(S, c, cAt + 7 * ldc));
      c71 = c71.add(FloatVector.fromArray(S, c, cAt + 7 * ldc + LANES));
    }
    c00.intoArray(c, cAt);
    c01.intoArray(c, cAt + LANES);
    c10.intoArray(c, cAt + ldc);
    c11.intoArray(c, cAt + ldc + LANES);
    c20.intoArray(c, cAt + 2 * ldc);
    c21.intoArray(c, cAt + 2 * ldc + LANES);
    c30.intoArray(c, cAt + 3 * ldc);
    c31.intoArray(c, cAt + 3 * ldc + LANES);
    c40.intoArray(c, cAt + 4 * ldc);
    c41.intoArray(c, cAt + 4 * ldc + LANES);
    c50.intoArray(c, cAt + 5 * ldc);
    c51.intoArray(c, cAt + 5 * ldc + LANES);
    c60.intoArray(c, cAt + 6 * ldc);
    c61.intoArray(c, cAt + 6 * ldc + LANES);
    c70.intoArray(c, cAt + 7 * ldc);
    c71.intoArray(c, cAt + 7 * ldc + LANES);
  }

  @Override
  public void multiplyRowsHalf(
      int k, float[] a, int aAt, float[] b, int bAt, float[] c, int cAt, int ldc, boolean accumulate) {
    FloatVector c00 = FloatVector.zero(S);
    FloatVector c10 = FloatVector.zero(S);
    FloatVector c20 = FloatVector.zero(S);
    FloatVector c30 = FloatVector.zero(S);
    FloatVector c40 = FloatVector.zero(S);
    FloatVector c50 = FloatVector.zero(S);
    FloatVector c60 = FloatVector.zero(S);
    FloatVector c70 = FloatVector.zero(S);
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
      FloatVector a4 = FloatVector.broadcast(S, a[aAt + p + 4 * COLUMNS]);
      c40 = a4.fma(b0, c40);
      FloatVector a5 = FloatVector.broadcast(S, a[aAt + p + 5 * COLUMNS]);
      c50 = a5.fma(b0, c50);
      FloatVector a6 = FloatVector.broadcast(S, a[aAt + p + 6 * COLUMNS]);
      c60 = a6.fma(b0, c60);
      FloatVector a7 = FloatVector.broadcast(S, a[aAt + p + 7 * COLUMNS]);
      c70 = a7.fma(b0, c70);
    }
    if (accumulate) {
      c00 = c00.add(FloatVector.fromArray(S, c, cAt));
      c10 = c10.add(FloatVector.fromArray(S, c, cAt + ldc));
      c20 = c20.add(FloatVector.fromArray(S, c, cAt + 2 * ldc));
      c30 = c30.add(FloatVector.fromArray(S, c, cAt + 3 * ldc));
      c40 = c40.add(FloatVector.fromArray(S, c, cAt + 4 * ldc));
      c50 = c50.add(FloatVector.fromArray(S, c, cAt + 5 * ldc));
      c60 = c60.add(FloatVector.fromArray(S, c, cAt + 6 * ldc));
      c70 = c70.add(FloatVector.fromArray(S, c, cAt + 7 * ldc));
    }
    c00.intoArray(c, cAt);
    c10.intoArray(c, cAt + ldc);
    c20.intoArray(c, cAt + 2 * ldc);
    c30.intoArray(c, cAt + 3 * ldc);
    c40.intoArray(c, cAt + 4 * ldc);
    c50.intoArray(c, cAt + 5 * ldc);
    c60.intoArray(c, cAt + 6 * ldc);
    c70.intoArray(c, cAt + 7 * ldc);
  }

  @Override
  public void store(
      int rows,
      float[] c,
      int cAt,
      int ldc,
      float[] bias,
      int biasAt,
      long residual,
      long ldResidual,
      long to,
      long ldTo) {
    if (residual == 0) {
      VectorTiles.store(rows, c, cAt, ldc, bias, biasAt, to, ldTo);
    } else {
      VectorTiles.store(rows, c, cAt, ldc, bias, biasAt, residual, ldResidual, to, ldTo);
    }
  }
}
