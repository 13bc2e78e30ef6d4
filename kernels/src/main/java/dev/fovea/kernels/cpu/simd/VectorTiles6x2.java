package dev.fovea.kernels.cpu.simd;

import java.lang.invoke.VarHandle;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link Tiles} of 6 rows by two vectors for the 16 registers of AVX2: 12 sums, and room for three operands. Written
 * out for the reasons in {@link VectorTiles8x2}.
 *
 * <p>C2 would load all operands of a step first and spill half of the sums, at half the speed. A fence between rows
 * costs no instruction on x86 but keeps the loads below it from moving up; not so loads from native memory, so that
 * panels there are copied to arrays first.
 */
final class VectorTiles6x2 implements Tiles {
  private static final VectorSpecies<Float> S = FloatVector.SPECIES_PREFERRED;
  private static final int LANES = S.length();
  private static final int ROWS = 6;
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
    for (int p = 0; p < k; p++) {
      FloatVector b0 = FloatVector.fromArray(S, b, bAt + p * COLUMNS);
      FloatVector b1 = FloatVector.fromArray(S, b, bAt + p * COLUMNS + LANES);
      FloatVector a0 = FloatVector.broadcast(S, a[aAt + p * ROWS]);
      c00 = a0.fma(b0, c00);
      c01 = a0.fma(b1, c01);
      VarHandle.loadLoadFence();
      FloatVector a1 = FloatVector.broadcast(S, a[aAt + p * ROWS + 1]);
      c10 = a1.fma(b0, c10);
      c11 = a1.fma(b1, c11);
      VarHandle.loadLoadFence();
      FloatVector a2 = FloatVector.broadcast(S, a[aAt + p * ROWS + 2]);
      c20 = a2.fma(b0, c20);
      c21 = a2.fma(b1, c21);
      VarHandle.loadLoadFence();
      FloatVector a3 = FloatVector.broadcast(S, a[aAt + p * ROWS + 3]);
      c30 = a3.fma(b0, c30);
      c31 = a3.fma(b1, c31);
      VarHandle.loadLoadFence();
      FloatVector a4 = FloatVector.broadcast(S, a[aAt + p * ROWS + 4]);
      c40 = a4.fma(b0, c40);
      c41 = a4.fma(b1, c41);
      VarHandle.loadLoadFence();
      FloatVector a5 = FloatVector.broadcast(S, a[aAt + p * ROWS + 5]);
      c50 = a5.fma(b0, c50);
      c51 = a5.fma(b1, c51);
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
    for (int p = 0; p < k; p++) {
      FloatVector b0 = FloatVector.fromArray(S, b, bAt + p * COLUMNS);
      FloatVector a0 = FloatVector.broadcast(S, a[aAt + p * ROWS]);
      c00 = a0.fma(b0, c00);
      VarHandle.loadLoadFence();
      FloatVector a1 = FloatVector.broadcast(S, a[aAt + p * ROWS + 1]);
      c10 = a1.fma(b0, c10);
      VarHandle.loadLoadFence();
      FloatVector a2 = FloatVector.broadcast(S, a[aAt + p * ROWS + 2]);
      c20 = a2.fma(b0, c20);
      VarHandle.loadLoadFence();
      FloatVector a3 = FloatVector.broadcast(S, a[aAt + p * ROWS + 3]);
      c30 = a3.fma(b0, c30);
      VarHandle.loadLoadFence();
      FloatVector a4 = FloatVector.broadcast(S, a[aAt + p * ROWS + 4]);
      c40 = a4.fma(b0, c40);
      VarHandle.loadLoadFence();
      FloatVector a5 = FloatVector.broadcast(S, a[aAt + p * ROWS + 5]);
      c50 = a5.fma(b0, c50);
    }
    if (accumulate) {
      c00 = c00.add(FloatVector.fromArray(S, c, cAt));
      c10 = c10.add(FloatVector.fromArray(S, c, cAt + ldc));
      c20 = c20.add(FloatVector.fromArray(S, c, cAt + 2 * ldc));
      c30 = c30.add(FloatVector.fromArray(S, c, cAt + 3 * ldc));
      c40 = c40.add(FloatVector.fromArray(S, c, cAt + 4 * ldc));
      c50 = c50.add(FloatVector.fromArray(S, c, cAt + 5 * ldc));
    }
    c00.intoArray(c, cAt);
    c10.intoArray(c, cAt + ldc);
    c20.intoArray(c, cAt + 2 * ldc);
    c30.intoArray(c, cAt + 3 * ldc);
    c40.intoArray(c, cAt + 4 * ldc);
    c50.intoArray(c, cAt + 5 * ldc);
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
    for (int p = 0; p < k; p++) {
      FloatVector b0 = FloatVector.fromArray(S, b, bAt + p * COLUMNS);
      FloatVector b1 = FloatVector.fromArray(S, b, bAt + p * COLUMNS + LANES);
      FloatVector a0 = FloatVector.broadcast(S, a[aAt + p]);
      c00 = a0.fma(b0, c00);
      c01 = a0.fma(b1, c01);
      VarHandle.loadLoadFence();
      FloatVector a1 = FloatVector.broadcast(S, a[aAt + p + COLUMNS]);
      c10 = a1.fma(b0, c10);
      c11 = a1.fma(b1, c11);
      VarHandle.loadLoadFence();
      FloatVector a2 = FloatVector.broadcast(S, a[aAt + p + 2 * COLUMNS]);
      c20 = a2.fma(b0, c20);
      c21 = a2.fma(b1, c21);
      VarHandle.loadLoadFence();
      FloatVector a3 = FloatVector.broadcast(S, a[aAt + p + 3 * COLUMNS]);
      c30 = a3.fma(b0, c30);
      c31 = a3.fma(b1, c31);
      VarHandle.loadLoadFence();
      FloatVector a4 = FloatVector.broadcast(S, a[aAt + p + 4 * COLUMNS]);
      c40 = a4.fma(b0, c40);
      c41 = a4.fma(b1, c41);
      VarHandle.loadLoadFence();
      FloatVector a5 = FloatVector.broadcast(S, a[aAt + p + 5 * COLUMNS]);
      c50 = a5.fma(b0, c50);
      c51 = a5.fma(b1, c51);
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
    for (int p = 0; p < k; p++) {
      FloatVector b0 = FloatVector.fromArray(S, b, bAt + p * COLUMNS);
      FloatVector a0 = FloatVector.broadcast(S, a[aAt + p]);
      c00 = a0.fma(b0, c00);
      VarHandle.loadLoadFence();
      FloatVector a1 = FloatVector.broadcast(S, a[aAt + p + COLUMNS]);
      c10 = a1.fma(b0, c10);
      VarHandle.loadLoadFence();
      FloatVector a2 = FloatVector.broadcast(S, a[aAt + p + 2 * COLUMNS]);
      c20 = a2.fma(b0, c20);
      VarHandle.loadLoadFence();
      FloatVector a3 = FloatVector.broadcast(S, a[aAt + p + 3 * COLUMNS]);
      c30 = a3.fma(b0, c30);
      VarHandle.loadLoadFence();
      FloatVector a4 = FloatVector.broadcast(S, a[aAt + p + 4 * COLUMNS]);
      c40 = a4.fma(b0, c40);
      VarHandle.loadLoadFence();
      FloatVector a5 = FloatVector.broadcast(S, a[aAt + p + 5 * COLUMNS]);
      c50 = a5.fma(b0, c50);
    }
    if (accumulate) {
      c00 = c00.add(FloatVector.fromArray(S, c, cAt));
      c10 = c10.add(FloatVector.fromArray(S, c, cAt + ldc));
      c20 = c20.add(FloatVector.fromArray(S, c, cAt + 2 * ldc));
      c30 = c30.add(FloatVector.fromArray(S, c, cAt + 3 * ldc));
      c40 = c40.add(FloatVector.fromArray(S, c, cAt + 4 * ldc));
      c50 = c50.add(FloatVector.fromArray(S, c, cAt + 5 * ldc));
    }
    c00.intoArray(c, cAt);
    c10.intoArray(c, cAt + ldc);
    c20.intoArray(c, cAt + 2 * ldc);
    c30.intoArray(c, cAt + 3 * ldc);
    c40.intoArray(c, cAt + 4 * ldc);
    c50.intoArray(c, cAt + 5 * ldc);
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
