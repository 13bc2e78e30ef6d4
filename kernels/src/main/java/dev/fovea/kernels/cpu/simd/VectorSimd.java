package dev.fovea.kernels.cpu.simd;

import jdk.incubator.vector.FloatVector;

/** Every facet with the Vector API, at this machine's preferred width. Loaded by name only (see {@link SimdChoice}). */
record VectorSimd(String description, Tiles tiles, Convert convert) implements Simd {
  VectorSimd() {
    this(FloatVector.SPECIES_PREFERRED.vectorBitSize() + "-bit vectors", VectorTiles.best(), new ScalarConvert());
  }
}
