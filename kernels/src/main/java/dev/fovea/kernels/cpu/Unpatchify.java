package dev.fovea.kernels.cpu;

import dev.fovea.kernels.ImageKernels.Patches;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.cpu.simd.Convert;
import dev.fovea.kernels.cpu.simd.Pixels;

/** {@link dev.fovea.kernels.ImageKernels#unpatchify}. */
final class Unpatchify extends PatchGrid {
  private static final int ROWS = 0;
  private static final int PIXELS = 1;
  private static final int PLANES = 2;

  private final Staging staging;
  private final Pixels loops;
  private Span rows = Spans.NONE;
  private Span pictures = Spans.NONE;

  Unpatchify(Convert convert, Pixels loops) {
    this.staging = new Staging(convert);
    this.loops = loops;
  }

  void run(WorkerPool pool, Patches patches, Span rows, Span pictures) {
    this.rows = rows;
    this.pictures = pictures;
    run(pool, patches);
  }

  @Override
  void group(long row, long image, int top, int column, int count, Scratch scratch) {
    float[] values = scratch.floats(ROWS, count * size);
    staging.load(rows, row * size, values, 0, count * size);
    int rest = column + count == columns ? patches.width() - columns * patchWidth : 0;
    for (int y = 0; y < patchHeight; y++) {
      if (patches.channelsLast()) {
        sideBySide(image, top, y, column, count, rest, values, scratch);
      } else {
        planar(image, top, y, column, count, rest, values, scratch);
      }
    }
  }

  private void planar(long image, int top, int y, int column, int count, int rest, float[] values, Scratch scratch) {
    int width = count * patchWidth;
    float[] pixels = scratch.zeros(PIXELS, width + rest);
    for (int c = 0; c < channels; c++) {
      loops.join(values, (c * patchHeight + y) * patchWidth, size, count, patchWidth, pixels, 0);
      long first = pixelRow(image, c, top + y) + (long) column * patchWidth;
      staging.store(pixels, 0, pictures, first, width + rest);
    }
  }

  private void sideBySide(
      long image, int top, int y, int column, int count, int rest, float[] values, Scratch scratch) {
    int width = count * patchWidth;
    float[] pixels = scratch.zeros(PIXELS, (width + rest) * channels);
    float[] planes = scratch.floats(PLANES, width * channels);
    for (int c = 0; c < channels; c++) {
      loops.join(values, (c * patchHeight + y) * patchWidth, size, count, patchWidth, planes, c * width);
    }
    loops.merge(planes, 0, width, channels, pixels, 0);
    long first = pixelRow(image, 0, top + y) + (long) column * patchWidth * channels;
    staging.store(pixels, 0, pictures, first, (width + rest) * channels);
  }

  @Override
  void bottom(long image, int top, Scratch scratch) {
    int planes = patches.channelsLast() ? 1 : channels;
    int width = patches.channelsLast() ? patches.width() * channels : patches.width();
    float[] zeros = scratch.zeros(PIXELS, width);
    for (int c = 0; c < planes; c++) {
      for (int y = top; y < patches.height(); y++) {
        staging.store(zeros, 0, pictures, pixelRow(image, c, y), width);
      }
    }
  }
}
