package dev.fovea.kernels.cpu.simd;

/** Every facet in plain Java. */
record ScalarSimd(String description, Tiles tiles, Convert convert) implements Simd {
  static final ScalarSimd INSTANCE = new ScalarSimd("scalar");

  ScalarSimd(String description) {
    this(description, new ScalarTiles(), new ScalarConvert());
  }
}
