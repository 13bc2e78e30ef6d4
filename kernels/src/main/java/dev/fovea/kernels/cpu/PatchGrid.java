package dev.fovea.kernels.cpu;

import dev.fovea.kernels.ImageKernels.Patches;

/**
 * What {@link Patchify} and {@link Unpatchify} share: a block takes some rows of patches, and each of those in groups
 * of neighbours that fit the cache. The rows of a group lie in {@code float[]} as they do in memory.
 */
abstract class PatchGrid implements Grid {
  private static final int GROUP = 12_288;
  private static final int BLOCK = 1 << 15;

  Patches patches = new Patches(1, 1, 1, 1, 1, 1, false);
  int channels;
  int patchHeight;
  int patchWidth;
  int size;
  int columns;
  private int groupColumns;
  private long patchRows;
  private long rowsPerBlock;

  final void run(WorkerPool pool, Patches patches) {
    this.patches = patches;
    channels = patches.channels();
    patchHeight = patches.patchHeight();
    patchWidth = patches.patchWidth();
    size = patches.size();
    columns = patches.columns();
    groupColumns = Math.clamp(GROUP / size, 1, columns);
    patchRows = (long) patches.batch() * patches.rows();
    rowsPerBlock = Math.max(1, BLOCK / ((long) columns * size));
    pool.run(this, Math.toIntExact((patchRows + rowsPerBlock - 1) / rowsPerBlock));
  }

  @Override
  public final void block(int index, Scratch scratch) {
    long end = Math.min(patchRows, (index + 1) * rowsPerBlock);
    for (long row = index * rowsPerBlock; row < end; row++) {
      long image = row / patches.rows();
      int top = (int) (row % patches.rows()) * patchHeight;
      for (int column = 0; column < columns; column += groupColumns) {
        group(row * columns + column, image, top, column, Math.min(groupColumns, columns - column), scratch);
      }
      if (top + 2 * patchHeight > patches.height()) {
        bottom(image, top + patchHeight, scratch);
      }
    }
  }

  /**
   * Moves {@code count} neighbouring patches.
   *
   * @param row the first one's row among the rows of patches
   * @param top its first row of pixels
   * @param column its place from left to right
   */
  abstract void group(long row, long image, int top, int column, int count, Scratch scratch);

  /** Called after the last patches of a picture, for the rows of pixels from {@code top} on that are left out. */
  abstract void bottom(long image, int top, Scratch scratch);

  /** Where a picture's row of pixels begins: of one channel, or of all that lie side by side. */
  final long pixelRow(long image, int channel, int y) {
    return patches.channelsLast()
        ? (image * patches.height() + y) * patches.width() * channels
        : ((image * channels + channel) * patches.height() + y) * patches.width();
  }
}
