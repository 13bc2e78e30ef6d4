package dev.fovea.kernels.cpu.simd;

import static dev.fovea.kernels.cpu.simd.Memory.ALL;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;

import java.lang.foreign.MemorySegment;

/** {@link Pixels} in plain Java. */
class ScalarPixels implements Pixels {
  @Override
  public void cut(float[] row, int at, int patches, int width, float scale, float shift, long out, int step) {
    for (int p = 0; p < patches; p++) {
      int from = at + p * width;
      long to = out + 4L * p * step;
      for (int x = 0; x < width; x++) {
        ALL.set(JAVA_FLOAT, to + 4L * x, Math.fma(row[from + x], scale, shift));
      }
    }
  }

  @Override
  public void join(long x, int step, int patches, int width, float[] row, int rowAt) {
    for (int p = 0; p < patches; p++) {
      MemorySegment.copy(ALL, JAVA_FLOAT, x + 4L * p * step, row, rowAt + p * width, width);
    }
  }

  @Override
  public void split(float[] x, int at, int count, int channels, float[] planes, int planesAt) {
    for (int c = 0; c < channels; c++) {
      splitFrom(0, x, at + c, count, channels, planes, planesAt + c * count);
    }
  }

  /** One channel, from pixel {@code first} on. */
  static void splitFrom(int first, float[] x, int at, int count, int channels, float[] plane, int planeAt) {
    for (int i = first; i < count; i++) {
      plane[planeAt + i] = x[at + i * channels];
    }
  }

  @Override
  public void merge(float[] planes, int planesAt, int count, int channels, float[] x, int at) {
    for (int c = 0; c < channels; c++) {
      mergeFrom(0, planes, planesAt + c * count, count, channels, x, at + c);
    }
  }

  /** One channel, from pixel {@code first} on. */
  static void mergeFrom(int first, float[] plane, int planeAt, int count, int channels, float[] x, int at) {
    for (int i = first; i < count; i++) {
      x[at + i * channels] = plane[planeAt + i];
    }
  }
}
