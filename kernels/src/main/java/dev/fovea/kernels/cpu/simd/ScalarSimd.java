package dev.fovea.kernels.cpu.simd;

/** Every facet in plain Java. */
record ScalarSimd(
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
  static final ScalarSimd INSTANCE = new ScalarSimd("scalar");

  ScalarSimd(String description) {
    this(
        description,
        new ScalarTiles(),
        new ScalarConvert(),
        new ScalarMaths(),
        new ScalarReductions(),
        new ScalarLosses(),
        new ScalarPixels(),
        new ScalarPacking(),
        new ScalarArithmetic(),
        new ScalarColumns(),
        new ScalarPhilox(),
        new ScalarUpdates(),
        new ScalarStreams(),
        new ScalarHalfStreams());
  }
}
