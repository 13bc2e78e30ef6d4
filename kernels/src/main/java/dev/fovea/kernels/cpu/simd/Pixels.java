package dev.fovea.kernels.cpu.simd;

/** Moves between rows of pixels in {@code float[]} and rows of patches, F32 in native memory. */
public interface Pixels {
  /**
   * Cuts a row of {@code patches * width} pixels: {@code out[p * step + x] = row[at + p * width + x] * scale + shift},
   * in one rounding.
   */
  void cut(float[] row, int at, int patches, int width, float scale, float shift, long out, int step);

  /** The way back: {@code row[rowAt + p * width + x] = x[p * step + x]}. */
  void join(long x, int step, int patches, int width, float[] row, int rowAt);

  /** {@code planes[planesAt + c * count + i] = x[at + i * channels + c]} for {@code count} pixels. */
  void split(float[] x, int at, int count, int channels, float[] planes, int planesAt);

  /** The way back: {@code x[at + i * channels + c] = planes[planesAt + c * count + i]}. */
  void merge(float[] planes, int planesAt, int count, int channels, float[] x, int at);
}
