package dev.fovea.vit.train;

import dev.fovea.kernels.DType;

/** What a model computes in while it is trained; sums are F32 in either case. */
public enum Numbers {
  /** 32 bits. */
  F32(DType.F32),
  /**
   * 16 bits, rounded from parameters that are kept in F32 unless the run has no masters: see {@link MixedPrecision}.
   */
  BF16(DType.BF16);

  private final DType dtype;

  Numbers(DType dtype) {
    this.dtype = dtype;
  }

  DType dtype() {
    return dtype;
  }
}
