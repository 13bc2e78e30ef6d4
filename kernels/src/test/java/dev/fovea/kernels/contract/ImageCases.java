package dev.fovea.kernels.contract;

import static dev.fovea.kernels.DType.BF16;
import static dev.fovea.kernels.DType.F32;
import static dev.fovea.kernels.DType.U8;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.ImageKernels.Patches;
import dev.fovea.kernels.Span;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/** Cases of {@link dev.fovea.kernels.ImageKernels}. */
public final class ImageCases {
  /** Batch, channels, height, width, patch height, patch width. */
  private static final int[][] SHAPES = {
    {1, 1, 1, 1, 1, 1},
    {1, 3, 32, 48, 16, 16},
    {2, 3, 30, 45, 14, 14},
    {3, 1, 29, 31, 4, 7},
    {1, 4, 17, 70, 2, 33},
    {2, 3, 9, 101, 9, 100},
    {1, 80, 7, 6, 2, 2},
    {1, 3, 130, 70, 65, 70},
    {1, 2, 8, 3000, 4, 2}
  };

  private ImageCases() {}

  public static Stream<KernelCase> all() {
    List<KernelCase> cases = new ArrayList<>();
    for (int[] s : SHAPES) {
      for (boolean channelsLast : new boolean[] {false, true}) {
        Patches patches = new Patches(s[0], s[1], s[2], s[3], s[4], s[5], channelsLast);
        cases.add(patchify(patches, F32, F32, false, false));
        cases.add(patchify(patches, F32, BF16, true, false));
        cases.add(patchify(patches, BF16, F32, false, true));
        cases.add(patchify(patches, BF16, BF16, false, false));
        cases.add(patchify(patches, U8, F32, true, true));
        cases.add(patchify(patches, U8, BF16, true, true));
        cases.add(unpatchify(patches, F32, F32));
        cases.add(unpatchify(patches, F32, BF16));
        cases.add(unpatchify(patches, BF16, F32));
        cases.add(unpatchify(patches, BF16, BF16));
      }
    }
    return cases.stream();
  }

  /** Batches of 224 x 224 in patches of 16 and 14. */
  public static Stream<KernelCase> timed() {
    Patches p16 = new Patches(64, 3, 224, 224, 16, 16, false);
    Patches p16Last = new Patches(64, 3, 224, 224, 16, 16, true);
    Patches p14Last = new Patches(64, 3, 224, 224, 14, 14, true);
    return Stream.of(
        patchify(p16, F32, F32, false, false),
        patchify(p16, U8, F32, true, true),
        patchify(p16Last, U8, F32, true, true),
        patchify(p14Last, U8, F32, true, true),
        patchify(p14Last, U8, BF16, true, true),
        unpatchify(p16, F32, F32));
  }

  private static KernelCase patchify(Patches p, DType from, DType to, boolean scaled, boolean shifted) {
    String shape = "%s, %s%s%s to %s".formatted(shape(p), from, scaled ? " scale" : "", shifted ? " shift" : "", to);
    double bytes = whole(p) * (double) (from.bytes() + to.bytes());
    return new KernelCase("image.patchify", shape, 0, bytes, memory -> {
      Span pictures = from == U8 ? memory.integers(U8, pixels(p), 0, 256) : memory.normal(from, pixels(p), 1);
      Span scale = scaled ? memory.normal(F32, p.channels(), from == U8 ? 0.02 : 1) : null;
      Span shift = shifted ? memory.normal(F32, p.channels(), 1) : null;
      // One rounding of the product and one of the sum; both are at most about 20.
      double absolute = shifted ? 2 * 20 * Tolerance.U : 0;
      Tolerance tolerance = new Tolerance(absolute, scaled ? 2 * Tolerance.U : 0).rounded(to);
      Span out = memory.output("out", to, whole(p), tolerance);
      return kernels -> kernels.image().patchify(p, pictures, scale, shift, out);
    });
  }

  private static KernelCase unpatchify(Patches p, DType from, DType to) {
    String shape = "%s, %s to %s".formatted(shape(p), from, to);
    double bytes = whole(p) * (double) from.bytes() + pixels(p) * (double) to.bytes();
    return new KernelCase("image.unpatchify", shape, 0, bytes, memory -> {
      Span rows = memory.normal(from, whole(p), 1);
      Span pictures = memory.output("pictures", to, pixels(p), Tolerance.EXACT);
      return kernels -> kernels.image().unpatchify(p, rows, pictures);
    });
  }

  private static long pixels(Patches p) {
    return (long) p.batch() * p.channels() * p.height() * p.width();
  }

  private static long whole(Patches p) {
    return (long) p.batch() * p.rows() * p.columns() * p.size();
  }

  private static String shape(Patches p) {
    return "%dx%dx%dx%d by %dx%d%s"
        .formatted(
            p.batch(),
            p.channels(),
            p.height(),
            p.width(),
            p.patchHeight(),
            p.patchWidth(),
            p.channelsLast() ? " channels last" : "");
  }
}
