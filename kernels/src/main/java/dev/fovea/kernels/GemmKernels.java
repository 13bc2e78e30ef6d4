package dev.fovea.kernels;

/** Matrix products with everything around them that can ride in their epilogue. */
public interface GemmKernels {
  /**
   * Runs one product as {@link Gemm} describes it.
   *
   * <p>Error bound before activation: {@code (k + 4) u (|A| |B| + |bias| + |c|)} per element.
   */
  void run(Gemm call);

  /**
   * Bytes that {@link #pack} needs for a B of this layout and size, or 0 where this device reads B as it lies and
   * packing gains nothing.
   */
  long packedBytes(Layout layout, int n, int k);

  /**
   * Rearranges B once into the device's preferred order, for weights that many products will read
   * ({@link Gemm#packedB}).
   *
   * @param layout NN or NT
   * @param b F32 or BF16, [k,n] (NN) or [n,k] (NT) with leading dimension {@code ldb}
   * @param packed F32, at least {@link #packedBytes} long, 64-byte aligned
   */
  void pack(Layout layout, int n, int k, Span b, long ldb, Span packed);

  /**
   * The same kernels behind the checks of {@link Gemm}: a call that breaks them throws {@link IllegalArgumentException}
   * with the operand's name, and writes nothing.
   */
  static GemmKernels checked(GemmKernels kernels) {
    return new CheckedGemm(kernels);
  }
}
