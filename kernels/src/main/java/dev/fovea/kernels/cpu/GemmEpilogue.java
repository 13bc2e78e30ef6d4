package dev.fovea.kernels.cpu;

import static dev.fovea.kernels.cpu.simd.Memory.ALL;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.Gemm;
import dev.fovea.kernels.Gemm.QkNorm;
import dev.fovea.kernels.Layout;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.cpu.simd.Arithmetic;
import dev.fovea.kernels.cpu.simd.Maths;
import dev.fovea.kernels.cpu.simd.Simd;
import dev.fovea.kernels.cpu.simd.Tiles;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Takes a block of the product, row by row, through the steps that {@link Gemm} lists. */
final class GemmEpilogue {
  private static final Gemm NONE = new Gemm(Layout.NN, 1, 1, 1);

  /** Floats that an activation takes at once, of several rows where they are short. */
  private static final int TOGETHER = 1024;

  private static final int OPERAND = 2;
  private static final int BIAS = 3;
  private static final int SCALE = 4;
  private static final int SECOND_BIAS = 1;

  private final Staging staging;
  private final Arithmetic arithmetic;
  private final Maths maths;
  private final Tiles tiles;
  private final GemmPlan plan;
  private final GemmHeads heads;

  private Gemm call = NONE;
  private boolean byTile;

  /** [row blocks of a pass, n] sums over each block's rows, where column sums are asked for. */
  private float[] columnSums = {};

  private int firstSums;

  GemmEpilogue(Simd simd, Staging staging, GemmPlan plan) {
    this.staging = staging;
    this.plan = plan;
    arithmetic = simd.arithmetic();
    maths = simd.maths();
    tiles = simd.tiles();
    heads = new GemmHeads(simd, staging);
  }

  void set(Gemm call) {
    this.call = call;
    byTile = simple(call);
  }

  /** Lets go of the call. */
  void clear() {
    call = NONE;
  }

  void sums(float[] columnSums, int firstRowBlock) {
    this.columnSums = columnSums;
    firstSums = firstRowBlock;
  }

  /**
   * Whether tiles can go out one by one, while others are multiplied: where all there is to do is to add a bias, and a
   * residual or what C held.
   */
  boolean byTile() {
    return byTile;
  }

  private static boolean simple(Gemm g) {
    Span residual = g.residual();
    return g.c().dtype() == DType.F32
        && g.c2() == null
        && g.alpha() == 1
        && !(g.accumulate() && (g.bias() != null || residual != null))
        && (residual == null || residual.dtype() == DType.F32)
        && g.pre() == null
        && g.roundedColumns() == 0
        && g.activationColumns() == 0
        && g.qkNorm() == null
        && g.columnScale() == null
        && g.rowScale() == null
        && g.columnSums() == null;
  }

  /** The bias of a column block, zeros where it has none. */
  float[] bias(int columnBlock, Scratch scratch) {
    int first = plan.columnStart(columnBlock);
    int count = plan.columnStart(columnBlock + 1) - first;
    Span span = call.bias();
    int biased = span == null ? 0 : columnsBefore(span.count(), first, count);
    float[] bias = scratch.zeros(BIAS, count);
    if (span != null) {
      staging.load(span, first, bias, 0, biased);
      addSecondBias(first, biased, bias, scratch);
    }
    return bias;
  }

  private void addSecondBias(int first, int count, float[] bias, Scratch scratch) {
    if (call.bias2() != null) {
      arithmetic.add(bias, 0, vector(call.bias2(), first, count, SECOND_BIAS, scratch), 0, bias, 0, count);
    }
  }

  /** Takes out one tile, all of whose columns exist. */
  void storeTile(int tile, int panel, float[] c, int at, int ld, float[] bias, int biasAt) {
    Gemm g = call;
    long row = (long) tile * plan.tileRows;
    long column = (long) panel * plan.tileColumns;
    int count = (int) Math.min(plan.tileRows, plan.m - row);
    Span residual = g.accumulate() ? g.c() : g.residual();
    long ldResidual = g.accumulate() ? g.ldc() : g.ldResidual();
    long from = residual == null ? 0 : residual.address() + 4 * (row * ldResidual + column);
    long to = g.c().address() + 4 * (row * g.ldc() + column);
    tiles.store(count, c, at, ld, bias, biasAt, from, ldResidual, to, g.ldc());
  }

  /**
   * @param first column from which on there is something left to do
   * @param c the block, whose first row has this column at {@code at}
   */
  void apply(int rowBlock, int columnBlock, int first, float[] c, int at, int ld, Scratch scratch) {
    Gemm g = call;
    int count = plan.columnStart(columnBlock + 1) - first;
    if (count == 0) {
      return;
    }
    int together = together(g, first, count, ld);
    float[] operand = scratch.floats(OPERAND, together * count);
    int biased = g.bias() == null ? 0 : columnsBefore(g.bias().count(), first, count);
    float[] bias = vector(g.bias(), first, biased, BIAS, scratch);
    addSecondBias(first, biased, bias, scratch);
    float[] scale = vector(g.columnScale(), first, count, SCALE, scratch);
    QkNorm norm = g.qkNorm();
    if (norm != null) {
      heads.prepare(norm, scratch);
    }
    int sumsAt = (rowBlock - firstSums) * plan.n + first;
    if (g.columnSums() != null) {
      Arrays.fill(columnSums, sumsAt, sumsAt + count, 0f);
    }
    int endRow = plan.rowStart(rowBlock + 1);
    for (int row = plan.rowStart(rowBlock); row < endRow; row += together, at += together * ld) {
      int many = Math.min(together, endRow - row);
      for (int i = 0; i < many; i++) {
        accumulate(g, row + i, first, count, c, at + i * ld, operand);
        arithmetic.add(c, at + i * ld, bias, 0, c, at + i * ld, biased);
        roundAndKeep(g, row + i, first, count, c, at + i * ld);
      }
      if (g.gated()) {
        continue; // halves meet when all is kept: GemmGate
      }
      activate(g, row, many, first, count, c, at, operand);
      for (int i = 0; i < many; i++) {
        if (norm != null) {
          heads.normalize(norm, row + i, plan.m, first, count, c, at + i * ld, scratch);
        }
        scale(g, row + i, count, c, at + i * ld, scale);
        addResidual(g, row + i, first, count, c, at + i * ld, operand);
        store(g, row + i, first, count, c, at + i * ld);
        if (g.columnSums() != null) {
          arithmetic.add(columnSums, sumsAt, c, at + i * ld, columnSums, sumsAt, count);
        }
      }
    }
  }

  /** Rows without a gap between them that an activation may take at once: short loops cost more than they should. */
  private static int together(Gemm g, int first, int count, int ld) {
    return ld == count && columnsBefore(g.activationColumns(), first, count) == count
        ? Math.max(1, TOGETHER / count)
        : 1;
  }

  /** How many of {@code count} columns from {@code first} on lie before column {@code end}. */
  private static int columnsBefore(long end, int first, int count) {
    return Math.clamp(end - first, 0, count);
  }

  private float[] vector(@Nullable Span span, int first, int count, int slot, Scratch scratch) {
    float[] values = scratch.floats(slot, count);
    if (span != null) {
      staging.load(span, first, values, 0, count);
    }
    return values;
  }

  private void accumulate(Gemm g, int row, int first, int count, float[] c, int at, float[] old) {
    if (g.alpha() != 1) {
      arithmetic.scale(g.alpha(), c, at, c, at, count);
    }
    if (!g.accumulate()) {
      return;
    }
    int left = columnsBefore(g.splitN(), first, count);
    if (left > 0) {
      staging.load(g.c(), row * g.ldc() + first, old, 0, left);
    }
    Span c2 = g.c2();
    if (c2 != null && left < count) {
      staging.load(c2, row * g.ldc2() + first + left - g.splitN(), old, left, count - left);
    }
    arithmetic.add(c, at, old, 0, c, at, count);
  }

  private void roundAndKeep(Gemm g, int row, int first, int count, float[] c, int at) {
    Span pre = g.pre();
    DType dtype = pre == null ? g.c().dtype() : pre.dtype();
    staging.round(c, at, columnsBefore(g.roundedColumns(), first, count), dtype);
    int stored = columnsBefore(g.preColumns(), first, count);
    if (pre != null && stored > 0) {
      staging.store(c, at, pre, row * g.ldPre() + first, stored);
    }
  }

  private void activate(Gemm g, int row, int many, int first, int count, float[] c, int at, float[] saved) {
    int active = columnsBefore(g.activationColumns(), first, count);
    if (active == 0) {
      return;
    }
    Span s = g.saved();
    if (s == null) {
      maths.activation(g.activation(), c, at, c, at, many * active);
    } else {
      for (int i = 0; i < many; i++) {
        staging.load(s, (row + i) * g.ldSaved() + first, saved, i * active, active);
      }
      maths.activationGradient(g.activation(), saved, 0, c, at, c, at, many * active);
    }
  }

  private void scale(Gemm g, int row, int count, float[] c, int at, float[] scale) {
    if (g.columnScale() != null) {
      arithmetic.multiply(1, c, at, scale, 0, c, at, count);
    }
    Span rowScale = g.rowScale();
    if (rowScale != null) {
      float factor = ALL.get(ValueLayout.JAVA_FLOAT, rowScale.address() + 4L * (row / g.rowsPerScale()));
      arithmetic.scale(factor, c, at, c, at, count);
    }
  }

  private void addResidual(Gemm g, int row, int first, int count, float[] c, int at, float[] operand) {
    Span residual = g.residual();
    if (residual != null) {
      staging.load(residual, row * g.ldResidual() + first, operand, 0, count);
      arithmetic.add(c, at, operand, 0, c, at, count);
    }
  }

  private void store(Gemm g, int row, int first, int count, float[] c, int at) {
    int left = columnsBefore(g.splitN(), first, count);
    if (left > 0) {
      staging.store(c, at, g.c(), row * g.ldc() + first, left);
    }
    Span c2 = g.c2();
    if (c2 != null && left < count) {
      staging.store(c, at + left, c2, row * g.ldc2() + first + left - g.splitN(), count - left);
    }
  }
}
