package dev.fovea.kernels.cpu.simd;

import jdk.incubator.vector.FloatVector;

/** Every facet with the Vector API, at this machine's preferred width. Loaded by name only (see {@link SimdChoice}). */
record VectorSimd(
    String description,
    Tiles tiles,
    Convert convert,
    Maths maths,
    Reductions reductions,
    Losses losses,
    Pixels pixels,
    Packing packing,
    Rows rows,
    Arithmetic arithmetic,
    Columns columns,
    Philox philox,
    Updates updates,
    Streams streams)
    implements Simd {
  /** @throws UnsupportedOperationException where vectors are shorter than the loops need */
  VectorSimd() {
    this(
        width() + "-bit vectors",
        VectorTiles.best(),
        new VectorConvert(),
        new VectorMaths(),
        new VectorReductions(),
        new VectorLosses(),
        new VectorPixels(),
        new VectorPacking(),
        new VectorRows(),
        new VectorArithmetic(),
        new VectorColumns(),
        new VectorPhilox(),
        new VectorUpdates(),
        new VectorStreams());
  }

  private static int width() {
    int bits = FloatVector.SPECIES_PREFERRED.vectorBitSize();
    if (bits < 128) {
      throw new UnsupportedOperationException("vectors have " + bits + " bits, expected at least 128");
    }
    return bits;
  }
}
