package dev.fovea.kernels.reference;

import dev.fovea.kernels.ImageKernels;
import dev.fovea.kernels.Span;
import org.jspecify.annotations.Nullable;

/** {@link ImageKernels} in double precision. */
final class ReferenceImage implements ImageKernels {
  /** Takes one value of a picture: its place there, its channel, and its place among the rows or -1. */
  private interface Pixel {
    void at(long picture, int channel, long row);
  }

  private static void forEach(Patches p, Pixel pixel) {
    for (int b = 0; b < p.batch(); b++) {
      for (int c = 0; c < p.channels(); c++) {
        for (int y = 0; y < p.height(); y++) {
          for (int x = 0; x < p.width(); x++) {
            long plane = ((long) b * p.channels() + c) * p.height() + y;
            long line = (long) b * p.height() + y;
            long picture = p.channelsLast() ? (line * p.width() + x) * p.channels() + c : plane * p.width() + x;
            int py = y / p.patchHeight();
            int px = x / p.patchWidth();
            long patch = ((long) b * p.rows() + py) * p.columns() + px;
            int inside = (c * p.patchHeight() + y % p.patchHeight()) * p.patchWidth() + x % p.patchWidth();
            pixel.at(picture, c, py < p.rows() && px < p.columns() ? patch * p.size() + inside : -1);
          }
        }
      }
    }
  }

  @Override
  public void patchify(Patches patches, Span pictures, @Nullable Span scale, @Nullable Span shift, Span out) {
    forEach(patches, (picture, c, row) -> {
      if (row >= 0) {
        double a = scale == null ? 1 : Mat.get(scale, c);
        double b = shift == null ? 0 : Mat.get(shift, c);
        Mat.set(out, row, Mat.get(pictures, picture) * a + b);
      }
    });
  }

  @Override
  public void unpatchify(Patches patches, Span rows, Span pictures) {
    forEach(patches, (picture, c, row) -> Mat.set(pictures, picture, row < 0 ? 0 : Mat.get(rows, row)));
  }
}
