package dev.fovea.kernels.cpu;

import dev.fovea.kernels.Gemm;
import dev.fovea.kernels.Layout;
import dev.fovea.kernels.cpu.simd.Tiles;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * How one product is cut. C is cut into <b>blocks</b> of rows by columns, each computed by one thread in a scratch; k
 * is cut into pieces of {@link #depth}, the length of the panels that a tile runs over at once. Operands are packed for
 * a <b>pass</b> at a time, a range of row blocks by column blocks by k, so that packed memory stays bounded whatever
 * the product; A by the blocks themselves where they are wide enough ({@link #ownRows}).
 *
 * <p>The number of threads decides on column blocks only, and who packs A: every sum is the same in any of them.
 */
final class GemmPlan {
  /** Most steps of k in one panel piece: longer ones make fewer rounds of C, shorter ones leave more of L2. */
  private static final int DEPTH = 384;

  /** The same where rows of A and columns of B lie along k, as in every layer: fewer rounds are worth more there. */
  private static final int DEPTH_ALONG = 768;

  /** With these, a piece of a block of A takes less than half of an L2 of 1 MiB, or less than 0.8 of it. */
  private static final int BLOCK_ROWS = 264;

  /** Floats of a group of panels of B, which stay in L2 beside the rows. */
  private static final int GROUP = 48 << 10;

  private static final int BLOCK_COLUMNS = 256;

  /** Where all rows are one block, so that A stays in L2 and each block's part of C beside it. */
  private static final int ONE_BLOCK_COLUMNS = 128;

  private static final int LEAST_COLUMNS = 64;

  /**
   * Columns of blocks that pack rows of their own: C of a block stays in the cache for its epilogue, and there are
   * blocks enough for two threads to even out. With fewer than the least, rows would be packed too often.
   */
  private static final int WIDE_COLUMNS = 1024;

  private static final int LEAST_WIDE = 512;

  /** Products this small (about 30 µs) stay on the caller's thread. */
  private static final long SERIAL_WORK = 2_000_000;

  private static final int LONG_K = 8192;
  private static final int LONG_PASS = 6 * DEPTH;
  private static final int PASS_A = 4 << 20;
  private static final int PASS_B = 8 << 20;

  /** The same where blocks pack rows of their own: what was just packed is read from L3, not from memory. */
  private static final int PASS_B_NEAR = 1 << 20;

  private final int threads;
  final int tileRows;
  final int tileColumns;
  int m;
  int n;
  int k;
  int depth;
  int passDepth;
  int rowBlocks;
  int columnBlocks;
  boolean serial;

  /** Panels of B that a row of tiles runs over before the next row. */
  int groupPanels;

  /** Whether each block packs its rows of A by itself, a piece of k at a time, into scratch that stays in L2. */
  boolean ownRows;

  private int rowTiles;
  private int[] columnStarts = new int[64];

  GemmPlan(Tiles tiles, int threads) {
    this.threads = threads;
    tileRows = tiles.rows();
    tileColumns = tiles.columns();
  }

  void cut(Gemm call) {
    m = call.m;
    n = call.n;
    k = call.k;
    serial = (double) m * n * k < SERIAL_WORK;
    passDepth = k > LONG_K ? LONG_PASS : k;
    depth = pieceDepth(call.layout, k);
    groupPanels = Math.max(1, GROUP / (depth * tileColumns));
    rowTiles = Math.ceilDiv(m, tileRows);
    rowBlocks = Math.ceilDiv(rowTiles, BLOCK_ROWS / tileRows);
    rowBlocks += rowBlocks > 1 ? rowBlocks % 2 : 0;
    int columns = columns(WIDE_COLUMNS);
    ownRows = rowBlocks > 1 && passDepth == k && (columns == 1 || n / columns >= LEAST_WIDE);
    if (!ownRows) {
      columns = columns(rowBlocks == 1 ? ONE_BLOCK_COLUMNS : BLOCK_COLUMNS);
    }
    cutColumns(call.qkNorm(), Math.ceilDiv(n, columns));
  }

  /** Column blocks of at most so many columns, more of them where threads would be idle. */
  private int columns(int most) {
    int columns = Math.ceilDiv(n, most);
    while (uneven(rowBlocks * columns) && n / (columns + 1) >= LEAST_COLUMNS) {
      columns++;
    }
    return columns;
  }

  /** Whether some threads would have over an eighteenth more to do than the average. */
  private boolean uneven(int blocks) {
    return 18L * Math.ceilDiv(blocks, threads) * threads > 19L * blocks;
  }

  /** Even pieces of k, none too long for the caches. */
  static int pieceDepth(Layout layout, int k) {
    int most = layout == Layout.NT ? DEPTH_ALONG : DEPTH;
    int pieces = Math.ceilDiv(k, most);
    return k > LONG_K ? most : Math.ceilDiv(Math.ceilDiv(k, pieces), 4) * 4;
  }

  /** Blocks of about {@code width} columns; a head of QK-norm is never cut. */
  private void cutColumns(Gemm.@Nullable QkNorm norm, int width) {
    columnBlocks = 0;
    columnStarts[0] = 0;
    if (norm == null) {
      cutRange(n, width, tileColumns);
      return;
    }
    cutRange(norm.begin(), width, tileColumns);
    int unit = norm.headDim();
    while (unit % tileColumns != 0 && unit < 4 * norm.headDim()) {
      unit += norm.headDim();
    }
    cutRange(norm.begin() + 2 * norm.heads() * norm.headDim(), width, unit % tileColumns == 0 ? unit : norm.headDim());
    cutRange(n, width, tileColumns);
  }

  /** Blocks up to column {@code end}, of whole units as far as they go, nearly equal. */
  private void cutRange(int end, int width, int unit) {
    int begin = columnStarts[columnBlocks];
    int units = Math.ceilDiv(end - begin, unit);
    int count = Math.clamp(Math.ceilDiv(end - begin, width), 1, Math.max(1, units));
    for (int i = 1; i <= count && begin < end; i++) {
      if (columnBlocks + 2 > columnStarts.length) {
        columnStarts = Arrays.copyOf(columnStarts, 2 * columnStarts.length);
      }
      columnStarts[++columnBlocks] = Math.min(end, begin + (int) ((long) units * i / count) * unit);
    }
  }

  int rowStart(int block) {
    return Math.min(m, (int) ((long) rowTiles * block / rowBlocks) * tileRows);
  }

  int columnStart(int block) {
    return columnStarts[block];
  }

  /** First panel of B that a column block needs, and the one behind its last. */
  int firstPanel(int columnBlock) {
    return columnStarts[columnBlock] / tileColumns;
  }

  int endPanel(int columnBlock) {
    return Math.ceilDiv(columnStarts[columnBlock + 1], tileColumns);
  }

  /** The column block behind the pass that begins with this one. */
  int columnPassEnd(int first) {
    long panels = Math.max(1, (ownRows ? PASS_B_NEAR : PASS_B) / (passDepth * (long) tileColumns));
    int end = first + 1;
    while (end < columnBlocks && endPanel(end) - firstPanel(first) <= panels) {
      end++;
    }
    return end;
  }

  /** The row block behind the pass that begins with this one. */
  int rowPassEnd(int first) {
    if (ownRows) {
      return rowBlocks;
    }
    int rows = PASS_A / passDepth;
    int end = first + 1;
    while (end < rowBlocks && rowStart(end + 1) - rowStart(first) <= rows) {
      end++;
    }
    return end;
  }

  /** Rows and columns of the largest block, in whole tiles. */
  int mostRows() {
    return Math.ceilDiv(rowTiles, rowBlocks) * tileRows;
  }

  int mostColumns() {
    int most = 0;
    for (int i = 0; i < columnBlocks; i++) {
      most = Math.max(most, endPanel(i) - firstPanel(i));
    }
    return most * tileColumns;
  }
}
