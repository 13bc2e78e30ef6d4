package dev.fovea.kernels;

import org.jspecify.annotations.Nullable;

/** Kernels between pictures and rows of patches. */
public interface ImageKernels {
  /**
   * A grid of patches on pictures (or feature maps) of [batch, channels, height, width]. Rows and columns of pixels
   * past the last whole patch are left out.
   *
   * @param channelsLast pixels lie as [batch, height, width, channels] rather than [batch, channels, height, width]
   */
  record Patches(
      int batch, int channels, int height, int width, int patchHeight, int patchWidth, boolean channelsLast) {
    public Patches {
      if (batch < 1
          || channels < 1
          || patchHeight < 1
          || patchWidth < 1
          || height < patchHeight
          || width < patchWidth) {
        throw new IllegalArgumentException(
            "patches: got %d x %d x %d x %d in patches of %d x %d, expected at least one patch"
                .formatted(batch, channels, height, width, patchHeight, patchWidth));
      }
    }

    /** Patches from top to bottom. */
    public int rows() {
      return height / patchHeight;
    }

    /** Patches from left to right. */
    public int columns() {
      return width / patchWidth;
    }

    /** Values in a patch: {@code channels * patchHeight * patchWidth}. */
    public int size() {
      return channels * patchHeight * patchWidth;
    }
  }

  /**
   * Cuts pictures into rows (im2col with stride = kernel): {@code out[(b, py, px), (c, y, x)] = picture * scale[c] +
   * shift[c]}. Values in a row run over channel, then y, then x, as a convolution weight of [out, c, y, x].
   *
   * @param pictures F32, BF16 or U8
   * @param scale F32 [channels] or null for 1; with shift it folds "/255, - mean, / std" into one step
   * @param shift F32 [channels] or null for 0
   * @param out F32 or BF16, [batch * rows * columns, size]
   */
  void patchify(Patches patches, Span pictures, @Nullable Span scale, @Nullable Span shift, Span out);

  /**
   * The way back: every pixel of a whole patch gets its value, pixels past the last whole patch get zero. It is the
   * gradient of {@link #patchify} (with scale = 1).
   *
   * @param rows F32 or BF16, [batch * rows * columns, size]
   * @param pictures F32 or BF16
   */
  void unpatchify(Patches patches, Span rows, Span pictures);

  /** These kernels behind the checks that every device needs. */
  static ImageKernels checked(ImageKernels kernels) {
    return new CheckedImage(kernels);
  }
}
