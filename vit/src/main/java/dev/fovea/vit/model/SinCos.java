package dev.fovea.vit.model;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;

/** Fixed positions: sines and cosines of x, then of y, over geometrically spaced frequencies (big_vision). */
final class SinCos {
  private static final double LONGEST = 10_000;

  private SinCos() {}

  /** [patches, width], in the current scope. */
  static Tensor positions(Grid grid, int width, DType dtype) {
    int quarter = width / 4;
    float[] values = new float[grid.patches() * width];
    for (int patch = 0; patch < grid.patches(); patch++) {
      int x = patch % grid.columns();
      int y = patch / grid.columns();
      for (int i = 0; i < quarter; i++) {
        double omega = quarter == 1 ? 1 : Math.pow(LONGEST, -i / (quarter - 1.0));
        int at = patch * width + i;
        values[at] = (float) Math.sin(x * omega);
        values[at + quarter] = (float) Math.cos(x * omega);
        values[at + 2 * quarter] = (float) Math.sin(y * omega);
        values[at + 3 * quarter] = (float) Math.cos(y * omega);
      }
    }
    return Tensor.empty(Shape.of(grid.patches(), width), dtype).copyFrom(values);
  }
}
