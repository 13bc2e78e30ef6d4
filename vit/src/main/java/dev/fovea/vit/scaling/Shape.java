package dev.fovea.vit.scaling;

import dev.fovea.vit.model.Costs;
import dev.fovea.vit.model.VitConfig;

/**
 * The shape of a Vision Transformer.
 *
 * @param width of a token
 * @param depth number of blocks
 * @param mlp hidden width
 */
public record Shape(int width, int depth, int mlp) {
  /** A dimension of shapes. */
  public enum Dimension {
    /** {@link Shape#width}. */
    WIDTH,
    /** {@link Shape#depth}. */
    DEPTH,
    /** {@link Shape#mlp}. */
    MLP
  }

  /** Checks the numbers. */
  public Shape {
    if (width < 1 || depth < 1 || mlp < 1) {
      throw new IllegalArgumentException(
          "shape: got %d, %d, %d, expected a positive width, depth and MLP".formatted(width, depth, mlp));
    }
  }

  /** One of the three. */
  public int get(Dimension dimension) {
    return switch (dimension) {
      case WIDTH -> width;
      case DEPTH -> depth;
      case MLP -> mlp;
    };
  }

  /**
   * Costs of a model of this shape as the paper builds it: MAP pooling, no classifier.
   *
   * @param heads of attention, a divisor of the width
   */
  public Costs costs(int imageSize, int patch, int heads) {
    return Costs.of(VitConfig.builder()
        .image(imageSize)
        .patch(patch)
        .shape(width, depth, mlp, heads)
        .classToken(false)
        .pool(VitConfig.Pool.MAP)
        .build());
  }

  @Override
  public String toString() {
    return "width %d, depth %d, MLP %d".formatted(width, depth, mlp);
  }
}
