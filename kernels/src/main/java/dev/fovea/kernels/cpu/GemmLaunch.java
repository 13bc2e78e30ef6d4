package dev.fovea.kernels.cpu;

import static dev.fovea.kernels.cpu.simd.Memory.ALL;

import dev.fovea.kernels.Gemm;
import dev.fovea.kernels.Layout;
import dev.fovea.kernels.Sums;
import dev.fovea.kernels.cpu.simd.Simd;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** One product on its way through its passes, with the memory they share; used again for other products. */
final class GemmLaunch {
  private final WorkerPool pool;
  private final GemmPlan plan;
  private final GemmOperand a;
  private final GemmOperand b;
  private final GemmEpilogue epilogue;
  private final GemmBlocks blocks;
  private final Packs packs = new Packs();
  private final Serial serial = new Serial();

  private float[] packedA = {};
  private float[] packedB = {};
  private float[] partial = {};
  private float[] pieceSums = {};
  private float[] blockSums = {};
  private double[] totals = {};

  GemmLaunch(WorkerPool pool, Simd simd) {
    this.pool = pool;
    Staging staging = new Staging(simd.convert());
    plan = new GemmPlan(simd.tiles(), pool.threads());
    a = new GemmOperand(simd, staging, plan.tileRows);
    b = new GemmOperand(simd, staging, plan.tileColumns);
    epilogue = new GemmEpilogue(simd, staging, plan);
    blocks = new GemmBlocks(simd.tiles(), plan, a, b, epilogue);
  }

  void run(Gemm call) {
    epilogue.set(call);
    plan.cut(call);
    boolean acrossA = call.layout == Layout.TN;
    a.set(call.a(), call.lda(), call.a2(), call.lda2(), call.splitK(), acrossA, plan.m);
    b.set(call.b(), call.ldb(), null, 0, plan.k, call.layout != Layout.NT, plan.n);
    b.prepacked(call.packedB(), plan.k);
    for (int column = 0; column < plan.columnBlocks; ) {
      int end = plan.columnPassEnd(column);
      columnPass(call, column, end);
      column = end;
    }
    epilogue.clear();
  }

  private void columnPass(Gemm call, int column, int endColumn) {
    boolean onePass = plan.passDepth == plan.k;
    boolean shareB = !call.packedB() && plan.rowBlocks > 1;
    for (int row = 0; row < plan.rowBlocks; ) {
      int endRow = plan.rowPassEnd(row);
      int slot = onePass ? 0 : plan.mostRows() * plan.mostColumns();
      partial = grown(partial, slot * (endRow - row) * (endColumn - column));
      Sums columnSums = call.columnSums();
      if (columnSums != null) {
        blockSums = grown(blockSums, (endRow - row) * plan.n);
        epilogue.sums(blockSums, row);
      }
      for (int k = 0; k < plan.k; k += plan.passDepth) {
        int length = Math.min(plan.passDepth, plan.k - k);
        boolean packB = shareB && (row == 0 || !onePass);
        Sums operandSums = column == 0 ? call.operandSums() : null;
        pack(row, endRow, column, endColumn, k, length, packB, operandSums != null);
        blocks.operands(packedA, operandSums == null ? null : pieceSums, shareB ? packedB : null, partial, slot);
        blocks.pass(row, endRow, column, endColumn, k, length);
        launch(blocks, blocks.count());
        if (operandSums != null) {
          int first = plan.rowStart(row);
          putSums(pieceSums, a.pieces(), plan.m, first, plan.rowStart(endRow) - first, operandSums, k > 0);
        }
      }
      if (columnSums != null) {
        int first = plan.columnStart(column);
        int end = (int) Math.min(plan.columnStart(endColumn), columnSums.span().count());
        putSums(blockSums, endRow - row, plan.n, first, Math.max(0, end - first), columnSums, row > 0);
      }
      row = endRow;
    }
  }

  private void pack(int row, int endRow, int column, int endColumn, int k, int length, boolean packB, boolean sums) {
    int endTile = Math.ceilDiv(plan.rowStart(endRow), plan.tileRows);
    a.part(plan.rowStart(row) / plan.tileRows, endTile, k, length, plan.depth);
    if (!plan.ownRows) {
      packedA = grown(packedA, a.size());
    }
    if (packB) {
      b.part(plan.firstPanel(column), plan.endPanel(endColumn - 1), k, length, plan.depth);
      packedB = grown(packedB, b.size());
    }
    if (sums) {
      pieceSums = grown(pieceSums, a.pieces() * plan.m);
    }
    packs.tasksOfB = packB ? b.tasks() : 0;
    packs.sums = sums ? pieceSums : null;
    launch(packs, packs.tasksOfB + (plan.ownRows ? 0 : a.tasks()));
  }

  private void launch(Grid grid, int count) {
    if (plan.serial) {
      serial.grid = grid;
      serial.count = count;
      pool.run(serial, 1);
    } else {
      pool.run(grid, count);
    }
  }

  /** Puts {@code sum over parts of sums[part * ld + first + i]}, parts in order, or adds it to earlier passes'. */
  private void putSums(float[] sums, int parts, int ld, int first, int count, Sums to, boolean more) {
    if (totals.length < count) {
      totals = new double[count];
    }
    Arrays.fill(totals, 0, count, 0.0);
    for (int part = 0; part < parts; part++) {
      for (int i = 0; i < count; i++) {
        totals[i] += sums[part * ld + first + i];
      }
    }
    for (int i = 0; i < count; i++) {
      long address = to.span().address() + 4L * (first + i);
      double before = more || to.add() ? ALL.get(ValueLayout.JAVA_FLOAT, address) : 0;
      ALL.set(ValueLayout.JAVA_FLOAT, address, (float) (before + totals[i]));
    }
  }

  private static float[] grown(float[] array, int length) {
    return array.length >= length ? array : new float[length];
  }

  /** Packs both operands of a pass. */
  private final class Packs implements Grid {
    private int tasksOfB;
    private float @Nullable [] sums;

    @Override
    public void block(int index, Scratch scratch) {
      if (index < tasksOfB) {
        b.pack(index, packedB, null, scratch);
      } else {
        a.pack(index - tasksOfB, packedA, sums, scratch);
      }
    }
  }

  /** All blocks of a small grid as one. */
  private static final class Serial implements Grid {
    private Grid grid = this;
    private int count;

    @Override
    public void block(int index, Scratch scratch) {
      for (int i = 0; i < count; i++) {
        grid.block(i, scratch);
      }
    }
  }
}
