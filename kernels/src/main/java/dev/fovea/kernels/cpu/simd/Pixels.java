package dev.fovea.kernels.cpu.simd;

/** Moves between rows of pixels and rows of patches, in {@code float[]}. */
public interface Pixels {
  /**
   * Cuts a row of {@code patches * width} pixels: {@code out[outAt + p * step + x] = row[at + p * width + x] * scale +
   * shift}, in one rounding.
   */
  void cut(float[] row, int at, int patches, int width, float scale, float shift, float[] out, int outAt, int step);

  /** The way back: {@code row[rowAt + p * width + x] = x[at + p * step + x]}. */
  void join(float[] x, int at, int step, int patches, int width, float[] row, int rowAt);

  /** {@code planes[planesAt + c * count + i] = x[at + i * channels + c]} for {@code count} pixels. */
  void split(float[] x, int at, int count, int channels, float[] planes, int planesAt);

  /** The way back: {@code x[at + i * channels + c] = planes[planesAt + c * count + i]}. */
  void merge(float[] planes, int planesAt, int count, int channels, float[] x, int at);
}
