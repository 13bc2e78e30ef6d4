package dev.fovea.kernels;

import org.jspecify.annotations.Nullable;

/** {@link ImageKernels} that check their arguments first. */
record CheckedImage(ImageKernels kernels) implements ImageKernels {
  private static final long MAX_PATCH = 1 << 28;

  @Override
  public void patchify(Patches patches, Span pictures, @Nullable Span scale, @Nullable Span shift, Span out) {
    long rows = checkPatches(patches);
    if (pictures.dtype() != DType.U8 && pictures.dtype() != DType.F32 && pictures.dtype() != DType.BF16) {
      throw new IllegalArgumentException("pictures: got %s, expected F32, BF16 or U8".formatted(pictures.dtype()));
    }
    Check.holds("pictures", pictures, pixels(patches));
    Check.optionalTyped("scale", scale, DType.F32, patches.channels());
    Check.optionalTyped("shift", shift, DType.F32, patches.channels());
    Check.vector("out", out, Math.multiplyExact(rows, patches.size()));
    Check.apart("out", out, "pictures", pictures);
    kernels.patchify(patches, pictures, scale, shift, out);
  }

  @Override
  public void unpatchify(Patches patches, Span rows, Span pictures) {
    long count = checkPatches(patches);
    Check.vector("rows", rows, Math.multiplyExact(count, patches.size()));
    Check.vector("pictures", pictures, pixels(patches));
    Check.apart("pictures", pictures, "rows", rows);
    kernels.unpatchify(patches, rows, pictures);
  }

  /** The number of patches. */
  private static long checkPatches(Patches p) {
    double size = (double) p.channels() * p.patchHeight() * p.patchWidth();
    if (size > MAX_PATCH) {
      throw new IllegalArgumentException(
          "patches: got %.0f values in a patch, expected at most %d".formatted(size, MAX_PATCH));
    }
    return Math.multiplyExact((long) p.batch() * p.rows(), (long) p.columns());
  }

  private static long pixels(Patches p) {
    long area = (long) p.height() * p.width();
    return Math.multiplyExact(area, Math.multiplyExact((long) p.batch(), (long) p.channels()));
  }
}
