package dev.fovea.kernels.cpu;

import static dev.fovea.kernels.cpu.simd.Memory.ALL;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.ImageKernels.Patches;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.cpu.simd.Convert;
import dev.fovea.kernels.cpu.simd.Pixels;
import dev.fovea.kernels.cpu.simd.Simd;

/** {@link dev.fovea.kernels.ImageKernels#patchify}. */
final class Patchify extends PatchGrid {
  private static final int PIXELS = 0;
  private static final int PLANES = 1;
  private static final int STAGED = 1024;

  private final Convert convert;
  private final Staging staging;
  private final InPlace memory;
  private final Pixels loops;
  private Span pictures = Spans.NONE;
  private Span scale = Spans.NONE;
  private Span shift = Spans.NONE;
  private Span out = Spans.NONE;

  Patchify(Simd simd) {
    convert = simd.convert();
    staging = new Staging(convert);
    memory = new InPlace(simd);
    loops = simd.pixels();
  }

  void run(WorkerPool pool, Patches patches, Span pictures, Span scale, Span shift, Span out) {
    this.pictures = pictures;
    this.scale = scale;
    this.shift = shift;
    this.out = out;
    run(pool, patches);
  }

  @Override
  void group(long row, long image, int top, int column, int count, Scratch scratch) {
    long rows = memory.target(out, row * size, count * size, 0, scratch);
    if (patches.channelsLast()) {
      for (int y = 0; y < patchHeight; y++) {
        sideBySide(image, top, y, column, count, rows, scratch);
      }
    } else {
      for (int c = 0; c < channels; c++) {
        planar(image, c, top, column, count, rows, scratch);
      }
    }
    memory.store(rows, out, row * size, count * size);
  }

  /** One channel. Rows of pixels that go from edge to edge are loaded together. */
  private void planar(long image, int c, int top, int column, int count, long rows, Scratch scratch) {
    boolean whole = count * patchWidth == patches.width();
    int width = count * patchWidth;
    int together = whole ? Math.clamp(STAGED / width, 1, patchHeight) : 1;
    float[] pixels = scratch.floats(PIXELS, together * width);
    for (int y = 0; y < patchHeight; y += together) {
      int n = Math.min(together, patchHeight - y);
      load(pixelRow(image, c, top + y) + (long) column * patchWidth, pixels, n * width);
      for (int i = 0; i < n; i++) {
        cut(pixels, i * width, c, y + i, count, rows);
      }
    }
  }

  private void sideBySide(long image, int top, int y, int column, int count, long rows, Scratch scratch) {
    int width = count * patchWidth;
    float[] pixels = scratch.floats(PIXELS, width * channels);
    float[] planes = scratch.floats(PLANES, width * channels);
    load(pixelRow(image, 0, top + y) + (long) column * patchWidth * channels, pixels, width * channels);
    loops.split(pixels, 0, width, channels, planes, 0);
    for (int c = 0; c < channels; c++) {
      cut(planes, c * width, c, y, count, rows);
    }
  }

  private void load(long first, float[] to, int count) {
    if (pictures.dtype() == DType.U8) {
      convert.loadU8(pictures.address() + first, to, 0, count);
    } else {
      staging.load(pictures, first, to, 0, count);
    }
  }

  private void cut(float[] pixels, int at, int channel, int y, int count, long rows) {
    float a = scale.count() == 0 ? 1 : ALL.get(JAVA_FLOAT, scale.address() + 4L * channel);
    float b = shift.count() == 0 ? 0 : ALL.get(JAVA_FLOAT, shift.address() + 4L * channel);
    loops.cut(pixels, at, count, patchWidth, a, b, rows + 4L * (channel * patchHeight + y) * patchWidth, size);
  }

  @Override
  void bottom(long image, int top, Scratch scratch) {
    // Left out of the rows.
  }
}
