package dev.fovea.kernels.cpu;

import dev.fovea.kernels.cpu.simd.Tiles;

/**
 * The blocks of one pass: tiles over packed panels into a scratch that stays in L2, and the epilogue on it while hot.
 */
final class GemmBlocks implements Grid {
  private static final int BLOCK = 0;

  private final Tiles tiles;
  private final GemmPlan plan;
  private final GemmOperand a;
  private final GemmOperand b;
  private final GemmEpilogue epilogue;

  /** Address of B in native memory, all of k of one panel after the other; or 0 if it was packed for this pass. */
  private long prepacked;

  private float[] packedA = {};
  private float[] packedB = {};

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

  void operands(float[] packedA, float[] packedB, long prepacked, float[] partial, int slot) {
    this.packedA = packedA;
    this.packedB = packedB;
    this.prepacked = prepacked;
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
    int ld = (endPanel - firstPanel) * plan.tileColumns;
    boolean whole = length == plan.k;
    float[] c = whole ? scratch.floats(BLOCK, (endTile - firstTile) * plan.tileRows * ld) : partial;
    int at = whole ? 0 : index * slot;
    for (int k = 0; k < length; k += plan.depth) {
      int steps = Math.min(plan.depth, length - k);
      for (int panel = firstPanel; panel < endPanel; panel++) {
        int cAt = at + (panel - firstPanel) * plan.tileColumns;
        column(firstTile, endTile, panel, k, steps, c, cAt, ld, begin + k > 0);
      }
    }
    if (begin + length == plan.k) {
      epilogue.apply(rowBlock, columnBlock, c, at, ld, scratch);
    }
  }

  /** The tiles below each other that share one piece of B, which stays in L1. */
  private void column(
      int firstTile, int endTile, int panel, int k, int steps, float[] c, int cAt, int ld, boolean accumulate) {
    int aAt = a.at(firstTile, k);
    int aStep = steps * plan.tileRows;
    int cStep = plan.tileRows * ld;
    if (prepacked != 0) {
      long piece = prepacked + 4L * plan.tileColumns * ((long) panel * plan.k + begin + k);
      for (int tile = firstTile; tile < endTile; tile++, aAt += aStep, cAt += cStep) {
        tiles.multiply(steps, packedA, aAt, piece, c, cAt, ld, accumulate);
      }
      return;
    }
    int piece = b.at(panel, k);
    boolean half = plan.n - panel * plan.tileColumns <= plan.tileColumns / 2;
    for (int tile = firstTile; tile < endTile; tile++, aAt += aStep, cAt += cStep) {
      if (half) {
        tiles.multiplyHalf(steps, packedA, aAt, packedB, piece, c, cAt, ld, accumulate);
      } else {
        tiles.multiply(steps, packedA, aAt, packedB, piece, c, cAt, ld, accumulate);
      }
    }
  }
}
