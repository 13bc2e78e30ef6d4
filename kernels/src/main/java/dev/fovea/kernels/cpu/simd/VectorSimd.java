package dev.fovea.kernels.cpu.simd;

import jdk.incubator.vector.FloatVector;

/**
 * Every facet with the Vector API, at this machine's preferred width. Loaded by name only (see {@link SimdChoice}).
 *
 * <p>Vectors stay in registers only where C2 inlines all that is done with them, whatever else the JVM has run before.
 * Hence two rules for the classes of this package:
 *
 * <ul>
 *   <li>What a loop carries along is an argument, never the receiver: {@code sum = x.add(sum)}. C2 knows the class of a
 *       vector that was just loaded or computed from one, and that of an argument from the check against it. The class
 *       of a loop-carried receiver it can only guess from the call profile inside the JDK, which it shares with vectors
 *       of every other length in the JVM.
 *   <li>A method of our own takes and returns vectors only if every use is the body of a hot loop. At a site that runs
 *       rarely beside the rest of its method, a tail or a second copy of the body, C2 may not inline it.
 * </ul>
 */
record VectorSimd(
    String description,
    Tiles tiles,
    Convert convert,
    Maths maths,
    Reductions reductions,
    Losses losses,
    Pixels pixels,
    Packing packing,
    Arithmetic arithmetic,
    Columns columns,
    Philox philox,
    Updates updates,
    Streams streams,
    Streams halfStreams)
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
        new VectorArithmetic(),
        new VectorColumns(),
        new VectorPhilox(),
        new VectorUpdates(),
        new VectorStreams(),
        new VectorHalfStreams());
  }

  private static int width() {
    int bits = FloatVector.SPECIES_PREFERRED.vectorBitSize();
    if (bits < 128) {
      throw new UnsupportedOperationException("vectors have " + bits + " bits, expected at least 128");
    }
    return bits;
  }
}
