package dev.fovea.kernels.cpu.simd;

import jdk.incubator.vector.FloatVector;

/** Chooses the shape of {@link Tiles} that fits this machine's vector registers. */
final class VectorTiles {
  private VectorTiles() {}

  /** 256-bit vectors mean AVX2 and its 16 registers; 128 (NEON) and 512 (AVX-512, SVE) have 32. */
  static Tiles best() {
    return FloatVector.SPECIES_PREFERRED.vectorBitSize() == 256 ? new VectorTiles4x2() : new VectorTiles8x2();
  }
}
