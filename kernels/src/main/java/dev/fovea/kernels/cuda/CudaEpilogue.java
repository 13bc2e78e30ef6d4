package dev.fovea.kernels.cuda;

import dev.fovea.kernels.Gemm;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.Sums;
import org.jspecify.annotations.Nullable;

/** Writes the epilogue of a product into a launch, as {@code epilogue.cuh} lays it out. */
final class CudaEpilogue {
  private CudaEpilogue() {}

  /** Whether tiles of C, those of queries and keys among them, begin on multiples of so many columns. */
  static boolean tilesBeginOnMultiplesOf(int columns, Gemm g) {
    Gemm.QkNorm norm = g.qkNorm();
    return (g.splitB() == g.n || g.splitB() % columns == 0)
        && (!g.gated() || g.columns() % columns == 0)
        && (norm == null || norm.begin() % columns == 0 && norm.headDim() % columns == 0);
  }

  /**
   * @param norm what is done to heads on the way, if anything
   * @param partial where each row of tiles leaves the sums of its columns
   * @param counters one for each column of tiles
   */
  static void write(Launch launch, Gemm g, Gemm.@Nullable QkNorm norm, long partial, long counters) {
    boolean quads = tilesBeginOnMultiplesOf(CudaOperands.QUAD, g);
    Span bias = g.bias();
    Sums sums = g.columnSums();
    Span saved = g.activationColumns() == 0 ? null : g.saved();
    CudaOperands.matrix(launch, g.c(), g.ldc(), quads);
    CudaOperands.matrix(launch, g.c2(), g.ldc2(), quads && g.splitN() % CudaOperands.QUAD == 0);
    CudaOperands.vector(launch, bias, quads);
    CudaOperands.vector(launch, g.bias2(), quads);
    CudaOperands.matrix(launch, g.pre(), g.ldPre(), quads);
    CudaOperands.matrix(launch, saved, g.ldSaved(), quads);
    CudaOperands.vector(launch, g.columnScale(), quads);
    CudaOperands.matrix(launch, g.residual(), g.ldResidual(), quads);
    CudaOperands.vector(launch, norm == null ? null : norm.queryWeight());
    CudaOperands.vector(launch, norm == null ? null : norm.queryBias());
    CudaOperands.vector(launch, norm == null ? null : norm.keyWeight());
    CudaOperands.vector(launch, norm == null ? null : norm.keyBias());
    launch
        .pointer(norm == null ? 0 : CudaOperands.address(norm.queryStats()))
        .pointer(norm == null ? 0 : CudaOperands.address(norm.keyStats()))
        .pointer(CudaOperands.address(g.rowScale()))
        .pointer(partial)
        .pointer(counters);
    CudaOperands.sums(launch, sums);
    launch
        .f32(g.alpha())
        .f32(norm == null ? 0 : norm.eps())
        .i32(g.accumulate() ? 1 : 0)
        .i32(g.splitN())
        .i32(bias == null ? 0 : (int) bias.count())
        .i32(g.preColumns())
        .i32(g.roundedColumns())
        .i32(CudaOperands.code(rounded(g.pre(), g.c()).dtype()))
        .i32(CudaOperands.code(g.activation()))
        .i32(g.activationColumns());
    heads(launch, norm);
    launch
        .i32(g.rowScale() == null ? 1 : g.rowsPerScale())
        .i32(norm == null ? 0 : norm.begin())
        .i32(sums == null ? 0 : (int) Math.min(g.n, sums.span().count()))
        .i32(g.gated() ? g.columns() : 0)
        .i32(0);
  }

  private static void heads(Launch launch, Gemm.@Nullable QkNorm norm) {
    launch
        .i32(norm == null ? 0 : norm.heads())
        .i32(norm == null ? 0 : norm.headDim())
        .i32(norm != null && norm.centered() ? 1 : 0);
  }

  private static Span rounded(@Nullable Span pre, Span c) {
    return pre == null ? c : pre;
  }
}
