package dev.fovea.kernels.cpu;

import dev.fovea.kernels.Span;
import dev.fovea.kernels.cpu.simd.Tiles;
import org.jspecify.annotations.Nullable;

/** The blocks of one pass: tiles over packed panels into a scratch that stays in L2, and the epilogue on it while hot. */
final class GemmBlocks implements Grid {
  private static final int BLOCK = 0;
  private static final int PIECE = 1;

  private final Tiles tiles;
  private final Staging staging;
  private final GemmPlan plan;
  private final GemmOperand a;
  private final GemmOperand b;
  private final GemmEpilogue epilogue;

  /** B in native memory, all of k of one panel after the other; or null if it was packed for this pass. */
  private @Nullable Span prepacked;

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

  GemmBlocks(Tiles tiles, Staging staging, GemmPlan plan, GemmOperand a, GemmOperand b, GemmEpilogue epilogue) {
    this.tiles = tiles;
    this.staging = staging;
    this.plan = plan;
    this.a = a;
    this.b = b;
    this.epilogue = epilogue;
  }

  void operands(float[] packedA, float[] packedB, @Nullable Span prepacked, float[] partial, int slot) {
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
        column(firstTile, endTile, panel, k, steps, c, cAt, ld, begin + k > 0, scratch);
      }
    }
    if (begin + length == plan.k) {
      epilogue.apply(rowBlock, columnBlock, c, at, ld, scratch);
    }
  }

  /** The tiles below each other that share one piece of B, which stays in L1. */
  private void column(
      int firstTile,
      int endTile,
      int panel,
      int k,
      int steps,
      float[] c,
      int cAt,
      int ld,
      boolean accumulate,
      Scratch scratch) {
    float[] piece = packedB;
    int pieceAt = 0;
    if (prepacked == null) {
      pieceAt = b.at(panel, k);
    } else {
      int width = plan.tileColumns;
      piece = scratch.floats(PIECE, steps * width);
      staging.load(prepacked, ((long) panel * plan.k + begin + k) * width, piece, 0, steps * width);
    }
    boolean half = plan.n - panel * plan.tileColumns <= plan.tileColumns / 2;
    int aAt = a.at(firstTile, k);
    int aStep = steps * plan.tileRows;
    int cStep = plan.tileRows * ld;
    for (int tile = firstTile; tile < endTile; tile++, aAt += aStep, cAt += cStep) {
      if (half) {
        tiles.multiplyHalf(steps, packedA, aAt, piece, pieceAt, c, cAt, ld, accumulate);
      } else {
        tiles.multiply(steps, packedA, aAt, piece, pieceAt, c, cAt, ld, accumulate);
      }
    }
  }
}
