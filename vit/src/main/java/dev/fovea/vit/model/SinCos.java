package dev.fovea.vit.model;

import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;

/** Fixed positions: sines and cosines of x, then of y, over geometrically spaced frequencies (big_vision). */
final class SinCos {
  private static final double LONGEST = 10_000;

  private SinCos() {}

  /** [patches, width], on the device and in the dtype of {@code like}. */
  static Tensor positions(VitConfig config, Tensor like) {
    int quarter = config.width() / 4;
    float[] values = new float[config.patches() * config.width()];
    for (int patch = 0; patch < config.patches(); patch++) {
      int x = patch % config.gridColumns();
      int y = patch / config.gridColumns();
      for (int i = 0; i < quarter; i++) {
        double omega = Math.pow(LONGEST, -i / (quarter - 1.0));
        int at = patch * config.width() + i;
        values[at] = (float) Math.sin(x * omega);
        values[at + quarter] = (float) Math.cos(x * omega);
        values[at + 2 * quarter] = (float) Math.sin(y * omega);
        values[at + 3 * quarter] = (float) Math.cos(y * omega);
      }
    }
    try (Scope scope = Scope.open(like.device())) {
      return scope.keep(
          Tensor.empty(Shape.of(config.patches(), config.width()), like.dtype()).copyFrom(values));
    }
  }
}
