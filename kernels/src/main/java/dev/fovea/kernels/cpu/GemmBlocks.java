package dev.fovea.kernels.cpu;

import dev.fovea.kernels.cpu.simd.Tiles;
import org.jspecify.annotations.Nullable;

/**
 * The blocks of one pass: tiles over packed panels into a scratch, and the epilogue on it while hot. Tiles that go out
 * one by one lie there behind each other, strip by strip as wide as they, so that memory is read and written in order.
 */
final class GemmBlocks implements Grid {
  private static final int BLOCK = 6;
  private static final int PIECE = 7;
  private static final int ROWS = 8;

  private static final float[] NO_BIAS = {};

  private final Tiles tiles;
  private final GemmPlan plan;
  private final GemmOperand a;
  private final GemmOperand b;
  private final GemmEpilogue epilogue;

  /** A as packed for this pass; empty if each block is to pack its own rows, piece by piece. */
  private float[] packedA = {};

  /** Where blocks that pack rows of A write their sums over each piece of k, if they are asked for. */
  private float @Nullable [] sums;

  /** B as packed for this pass; null if each block is to fetch its own, piece by piece. */
  private float @Nullable [] packedB;

  /** Sums of earlier passes over k, a slot of {@code slot} floats for each block; empty where one pass is all. */
  private float[] partial = {};

  private int slot;
  private int firstRow;
  private int rows;
  private int firstColumn;
  private int columns;
  private int begin;
  private int length;

  GemmBlocks(Tiles tiles, GemmPlan plan, GemmOperand a, GemmOperand b, GemmEpilogue epilogue) {
    this.tiles = tiles;
    this.plan = plan;
    this.a = a;
    this.b = b;
    this.epilogue = epilogue;
  }

  void operands(float[] packedA, float @Nullable [] sums, float @Nullable [] packedB, float[] partial, int slot) {
    this.packedA = packedA;
    this.sums = sums;
    this.packedB = packedB;
    this.partial = partial;
    this.slot = slot;
  }

  void pass(int firstRow, int endRow, int firstColumn, int endColumn, int begin, int length) {
    this.firstRow = firstRow;
    this.rows = endRow - firstRow;
    this.firstColumn = firstColumn;
    this.columns = endColumn - firstColumn;
    this.begin = begin;
    this.length = length;
  }

  int count() {
    return rows * columns;
  }

  @Override
  public void block(int index, Scratch scratch) {
    int rowBlock = firstRow + index % rows;
    int columnBlock = firstColumn + index / rows;
    int firstTile = plan.rowStart(rowBlock) / plan.tileRows;
    int endTile = Math.ceilDiv(plan.rowStart(rowBlock + 1), plan.tileRows);
    int firstPanel = plan.firstPanel(columnBlock);
    int endPanel = plan.endPanel(columnBlock);
    int rowsOfTiles = (endTile - firstTile) * plan.tileRows;
    int panels = endPanel - firstPanel;
    boolean byTile = epilogue.byTile();
    int ld = byTile ? plan.tileColumns : panels * plan.tileColumns;
    int cStep = byTile ? rowsOfTiles * plan.tileColumns : plan.tileColumns;
    boolean whole = length == plan.k;
    float[] c = whole ? scratch.floats(BLOCK, rowsOfTiles * panels * plan.tileColumns) : partial;
    int at = whole ? 0 : index * slot;
    boolean finish = begin + length == plan.k;
    int first = plan.columnStart(columnBlock);
    int endOut = finish && byTile ? plan.columnStart(columnBlock + 1) / plan.tileColumns : firstPanel;
    float[] bias = endOut > firstPanel ? epilogue.bias(columnBlock, scratch) : NO_BIAS;
    for (int k = 0; k < length; k += plan.depth) {
      int steps = Math.min(plan.depth, length - k);
      float[] packed = plan.ownRows ? packRows(firstTile, endTile, k, steps, columnBlock == 0, scratch) : packedA;
      int packedAt = plan.ownRows ? 0 : a.at(firstTile, k);
      boolean last = k + steps == length;
      for (int panel = firstPanel; panel < endPanel; ) {
        int end = Math.min(panel + plan.groupPanels, endPanel);
        if (last && panel < endOut) {
          end = Math.min(end, endOut);
        }
        int cAt = at + (panel - firstPanel) * cStep;
        float[] added = last && panel < endOut ? bias : null;
        int addedAt = (panel - firstPanel) * plan.tileColumns;
        group(firstTile, endTile, panel, end, k, steps, packed, packedAt, c, cAt, ld, cStep, added, addedAt, scratch);
        panel = end;
      }
    }
    if (finish) {
      int left = Math.max(first, endOut * plan.tileColumns);
      int leftAt = at + (endOut - firstPanel) * cStep + left - endOut * plan.tileColumns;
      epilogue.apply(rowBlock, columnBlock, left, c, leftAt, ld, scratch);
    }
  }

  /**
   * Packs a piece of a block's rows, which then stays in L2.
   *
   * @param first whether the block is the first with these rows, and writes their sums
   */
  private float[] packRows(int firstTile, int endTile, int k, int steps, boolean first, Scratch scratch) {
    float[] packed = scratch.floats(ROWS, (endTile - firstTile) * plan.tileRows * steps);
    float[] to = first ? sums : null;
    a.pack(firstTile, endTile, begin + k, steps, packed, 0, to, k / plan.depth * plan.m, scratch);
    return packed;
  }

  /**
   * The tiles over a few panels of B, which stay in L2, row after row: B comes and C goes in long stretches of memory.
   *
   * @param bias what to add on their way out, from {@code biasAt} on; null if they are not to go out one by one
   */
  private void group(
      int firstTile,
      int endTile,
      int firstPanel,
      int endPanel,
      int k,
      int steps,
      float[] packed,
      int aAt,
      float[] c,
      int cAt,
      int ld,
      int cStep,
      float @Nullable [] bias,
      int biasAt,
      Scratch scratch) {
    int aStep = steps * plan.tileRows;
    int bStep = steps * plan.tileColumns;
    float[] pieces = packedB == null ? scratch.floats(PIECE, (endPanel - firstPanel) * bStep) : packedB;
    int piece = packedB == null ? 0 : b.at(firstPanel, k);
    boolean inPlace = tiles.readsNative() && b.prepackedAt(firstPanel, begin + k) != 0;
    if (packedB == null && !inPlace) {
      b.pack(firstPanel, endPanel, begin + k, steps, pieces, 0, null, 0, scratch);
    }
    boolean accumulate = begin + k > 0;
    for (int tile = firstTile; tile < endTile; tile++, aAt += aStep, cAt += plan.tileRows * ld) {
      for (int panel = firstPanel; panel < endPanel; panel++) {
        int i = panel - firstPanel;
        int to = cAt + i * cStep;
        if (inPlace) {
          tiles.multiply(steps, packed, aAt, b.prepackedAt(panel, begin + k), c, to, ld, accumulate);
        } else if (plan.n - panel * plan.tileColumns <= plan.tileColumns / 2) {
          tiles.multiplyHalf(steps, packed, aAt, pieces, piece + i * bStep, c, to, ld, accumulate);
        } else {
          tiles.multiply(steps, packed, aAt, pieces, piece + i * bStep, c, to, ld, accumulate);
        }
        if (bias != null) {
          epilogue.storeTile(tile, panel, c, to, ld, bias, biasAt + i * plan.tileColumns);
        }
      }
    }
  }
}
