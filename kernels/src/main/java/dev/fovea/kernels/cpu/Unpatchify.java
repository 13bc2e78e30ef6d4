package dev.fovea.kernels.cpu;

import dev.fovea.kernels.ImageKernels.Patches;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.cpu.simd.Pixels;
import dev.fovea.kernels.cpu.simd.Simd;

/** {@link dev.fovea.kernels.ImageKernels#unpatchify}. */
final class Unpatchify extends PatchGrid {
  private static final int PIXELS = 0;
  private static final int PLANES = 1;

  private final Staging staging;
  private final InPlace memory;
  private final Pixels loops;
  private Span rows = Spans.NONE;
  private Span pictures = Spans.NONE;

  Unpatchify(Simd simd) {
    staging = new Staging(simd.convert());
    memory = new InPlace(simd);
    loops = simd.pixels();
  }

  void run(WorkerPool pool, Patches patches, Span rows, Span pictures) {
    this.rows = rows;
    this.pictures = pictures;
    run(pool, patches);
  }

  @Override
  void group(long row, long image, int top, int column, int count, Scratch scratch) {
    long values = memory.load(rows, row * size, count * size, 0, scratch);
    int rest = column + count == columns ? patches.width() - columns * patchWidth : 0;
    if (patches.channelsLast()) {
      for (int y = 0; y < patchHeight; y++) {
        sideBySide(image, top, y, column, count, rest, values, scratch);
      }
    } else {
      for (int c = 0; c < channels; c++) {
        planar(image, c, top, column, count, rest, values, scratch);
      }
    }
  }

  private void planar(long image, int c, int top, int column, int count, int rest, long values, Scratch scratch) {
    int width = count * patchWidth;
    float[] pixels = scratch.zeros(PIXELS, width + rest);
    for (int y = 0; y < patchHeight; y++) {
      join(values, c, y, count, pixels, 0);
      long first = pixelRow(image, c, top + y) + (long) column * patchWidth;
      staging.store(pixels, 0, pictures, first, width + rest);
    }
  }

  private void sideBySide(long image, int top, int y, int column, int count, int rest, long values, Scratch scratch) {
    int width = count * patchWidth;
    float[] pixels = scratch.zeros(PIXELS, (width + rest) * channels);
    float[] planes = scratch.floats(PLANES, width * channels);
    for (int c = 0; c < channels; c++) {
      join(values, c, y, count, planes, c * width);
    }
    loops.merge(planes, 0, width, channels, pixels, 0);
    long first = pixelRow(image, 0, top + y) + (long) column * patchWidth * channels;
    staging.store(pixels, 0, pictures, first, (width + rest) * channels);
  }

  private void join(long values, int c, int y, int count, float[] to, int at) {
    loops.join(values + 4L * (c * patchHeight + y) * patchWidth, size, count, patchWidth, to, at);
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
