package dev.fovea.kernels.reference;

import dev.fovea.kernels.Gemm;
import dev.fovea.kernels.GemmKernels;
import dev.fovea.kernels.Layout;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.cpu.simd.Exact;
import java.util.stream.DoubleStream;

/** {@link GemmKernels} as loops in double precision: one row after the other through every step of {@link Gemm}. */
final class ReferenceGemm implements GemmKernels {
  @Override
  public void run(Gemm g) {
    for (int i = 0; g.operandSums() != null && i < g.m; i++) {
      Mat.put(g.operandSums(), i, DoubleStream.of(rowOfA(g, i)).sum());
    }
    double[][] b = new double[g.n][g.k];
    for (int j = 0; j < g.n; j++) {
      for (int p = 0; p < g.k; p++) {
        b[j][p] = b(g, p, j);
      }
    }
    double[] columnSums = new double[g.n];
    for (int i = 0; i < g.m; i++) {
      double[] a = rowOfA(g, i);
      double[] row = new double[g.n];
      for (int j = 0; j < g.n; j++) {
        row[j] = untilActivation(g, i, j, a, b[j]);
      }
      if (g.qkNorm() != null) {
        normalize(g, g.qkNorm(), i, row);
      }
      for (int j = 0; j < g.columns(); j++) {
        double v = g.gated() ? row[j] * row[g.columns() + j] : row[j];
        v *= g.columnScale() == null ? 1 : Mat.get(g.columnScale(), j);
        v *= g.rowScale() == null ? 1 : Mat.get(g.rowScale(), i / g.rowsPerScale());
        v += g.residual() == null ? 0 : Mat.get(g.residual(), i * g.ldResidual() + j);
        setC(g, i, j, v);
        columnSums[j] += v;
      }
    }
    for (int j = 0;
        g.columnSums() != null && j < Math.min(g.n, g.columnSums().span().count());
        j++) {
      Mat.put(g.columnSums(), j, columnSums[j]);
    }
  }

  private static double untilActivation(Gemm g, int i, int j, double[] a, double[] b) {
    double v = 0;
    for (int p = 0; p < g.k; p++) {
      v += a[p] * b[p];
    }
    v *= g.alpha();
    if (g.accumulate()) {
      v += getC(g, i, j);
    }
    if (g.bias() != null && j < g.bias().count()) {
      v += Mat.get(g.bias(), j) + (g.bias2() == null ? 0 : Mat.get(g.bias2(), j));
    }
    if (j < g.roundedColumns()) {
      v = Mat.rounded(v, g.pre() == null ? g.c().dtype() : g.pre().dtype());
    }
    if (j < g.preColumns()) {
      Mat.set(g.pre(), i * g.ldPre() + j, v);
    }
    if (j < g.activationColumns()) {
      v = g.saved() == null
          ? Exact.activation(g.activation(), v)
          : v * Exact.gradient(g.activation(), Mat.get(g.saved(), i * g.ldSaved() + j));
    }
    return v;
  }

  private static void normalize(Gemm g, Gemm.QkNorm norm, int i, double[] row) {
    for (int h = 0; h < norm.heads(); h++) {
      int query = norm.begin() + h * norm.headDim();
      int key = query + norm.heads() * norm.headDim();
      long stat = (long) i * norm.heads() + h;
      long rows = (long) g.m * norm.heads();
      head(norm, row, query, norm.queryWeight(), norm.queryBias(), norm.queryStats(), stat, rows);
      head(norm, row, key, norm.keyWeight(), norm.keyBias(), norm.keyStats(), stat, rows);
    }
  }

  private static void head(
      Gemm.QkNorm norm, double[] row, int at, Span weight, Span bias, Span stats, long stat, long rows) {
    int d = norm.headDim();
    double mean = 0;
    for (int j = 0; norm.centered() && j < d; j++) {
      mean += row[at + j] / d;
    }
    double variance = 0;
    for (int j = 0; j < d; j++) {
      variance += (row[at + j] - mean) * (row[at + j] - mean) / d;
    }
    double reciprocal = 1 / Math.sqrt(variance + norm.eps());
    for (int j = 0; j < d; j++) {
      row[at + j] = (row[at + j] - mean) * reciprocal * Mat.get(weight, j) + (bias == null ? 0 : Mat.get(bias, j));
    }
    if (stats != null) {
      Mat.set(stats, stat, mean);
      Mat.set(stats, rows + stat, reciprocal);
    }
  }

  private static double[] rowOfA(Gemm g, int i) {
    double[] row = new double[g.k];
    for (int p = 0; p < g.k; p++) {
      row[p] = a(g, i, p);
    }
    return row;
  }

  private static double a(Gemm g, long i, long p) {
    if (g.layout == Layout.TN) {
      return i < g.splitM() ? Mat.get(g.a(), p * g.lda() + i) : Mat.get(g.a2(), p * g.lda2() + i - g.splitM());
    }
    return p < g.splitK() ? Mat.get(g.a(), i * g.lda() + p) : Mat.get(g.a2(), i * g.lda2() + p - g.splitK());
  }

  private static double b(Gemm g, long p, long j) {
    if (g.packedB()) {
      return Mat.get(g.b(), p * g.n + j);
    }
    if (j >= g.splitB()) {
      return Mat.get(g.b2(), p * g.ldb2() + j - g.splitB());
    }
    return Mat.get(g.b(), g.layout == Layout.NT ? j * g.ldb() + p : p * g.ldb() + j);
  }

  private static double getC(Gemm g, long i, long j) {
    return j < g.splitN() ? Mat.get(g.c(), i * g.ldc() + j) : Mat.get(g.c2(), i * g.ldc2() + j - g.splitN());
  }

  private static void setC(Gemm g, long i, long j, double v) {
    if (j < g.splitN()) {
      Mat.set(g.c(), i * g.ldc() + j, v);
    } else {
      Mat.set(g.c2(), i * g.ldc2() + j - g.splitN(), v);
    }
  }

  @Override
  public long packedBytes(Layout layout, int n, int k) {
    return 4L * n * k;
  }

  @Override
  public void pack(Layout layout, int n, int k, Span b, long ldb, Span packed) {
    for (long p = 0; p < k; p++) {
      for (long j = 0; j < n; j++) {
        Mat.set(packed, p * n + j, Mat.get(b, layout == Layout.NT ? j * ldb + p : p * ldb + j));
      }
    }
  }
}
