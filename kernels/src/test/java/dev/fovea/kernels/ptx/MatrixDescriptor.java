package dev.fovea.kernels.ptx;

/**
 * The 64 bits that tell {@code wgmma} where a matrix lies in shared memory. It is made of chunks of 16 bytes: eight
 * numbers along k where it is K-major, eight rows or columns where it is MN-major.
 *
 * @param start the matrix' first byte
 * @param leading bytes between what lies beside each other: two chunks, or two slabs as wide as the swizzle
 * @param stride bytes between groups of eight rows
 * @param first where the pattern of the swizzle begins, in rows of 128 bytes
 * @param swizzle width in bytes, 0 for none
 */
record MatrixDescriptor(int start, int leading, int stride, int first, int swizzle) {
  private static final int FIELD = 0x3fff;
  private static final int[] WIDTHS = {0, 128, 64, 32};

  /** All bits that mean nothing. */
  private static final long RESERVED = 0x3ff1_c000_c000_c000L;

  static MatrixDescriptor decode(Warp w, long bits) {
    if ((bits & RESERVED) != 0) {
      throw w.fault(
          0, "multiplies with the matrix descriptor " + Warp.hex(bits) + ", which sets bits that mean nothing");
    }
    return new MatrixDescriptor(
        (int) (bits & FIELD) << 4,
        (int) (bits >>> 16 & FIELD) << 4,
        (int) (bits >>> 32 & FIELD) << 4,
        (int) (bits >>> 49 & 7),
        WIDTHS[(int) (bits >>> 62)]);
  }

  /** The address of the chunk of numbers 8 {@code part} to 8 {@code part} + 7 along k, K-major. */
  int alongK(int mn, int part) {
    int group = start + (mn >> 3) * stride;
    return swizzle == 0
        ? group + (mn & 7) * 16 + part * leading
        : TensorBox.swizzled(group + (mn & 7) * swizzle + part * 16, swizzle, first);
  }

  /** The address of the chunk of rows or columns 8 {@code part} to 8 {@code part} + 7, MN-major. */
  int acrossK(int part, int k) {
    if (swizzle == 0) {
      return start + part * stride + (k & 7) * 16 + (k >> 3) * leading;
    }
    int chunks = swizzle >> 4;
    int at = start + part % chunks * 16 + part / chunks * leading + (k & 7) * swizzle + (k >> 3) * stride;
    return TensorBox.swizzled(at, swizzle, first);
  }
}
