package dev.fovea.vit.scaling;

import java.util.EnumMap;
import java.util.Map;

/**
 * Joint scaling of all dimensions of a shape: from a shape that is optimal for some compute, each dimension grows as
 * {@code (t / t0)^(s / 3)} (Alabdulmohsin et al., Getting ViT in Shape, section 3.4). Compute is what the paper counts:
 * GFLOPs of a forward pass times the number of pictures seen.
 *
 * @param anchor the shape to begin from
 * @param anchorCompute the compute that it is optimal for
 * @param exponents s of each dimension
 */
public record ShapeScaling(Shape anchor, double anchorCompute, Map<Shape.Dimension, Double> exponents) {
  /** The paper's shape to begin from, found by a grid of models that each saw 600 million pictures. */
  public static final Shape PAPER_ANCHOR = new Shape(608, 10, 928);

  /**
   * The compute that {@link #PAPER_ANCHOR} is taken to be optimal for. The paper does not print it: it says only that
   * it is the smallest of a range below 9.1e9, the compute of the grid. This one comes closest to both shapes that the
   * paper derives, SoViT-400m and SoViT-150m.
   */
  public static final double PAPER_ANCHOR_COMPUTE = 3.5e9;

  /** Heads of all models of the paper. */
  public static final int PAPER_HEADS = 16;

  private static final int MLP_MULTIPLE = 16;

  /** Checks the numbers. */
  public ShapeScaling {
    if (!(anchorCompute > 0) || Double.isInfinite(anchorCompute)) {
      throw new IllegalArgumentException("anchor's compute: got " + anchorCompute + ", expected a positive number");
    }
    Map<Shape.Dimension, Double> all = new EnumMap<>(exponents);
    for (Shape.Dimension dimension : Shape.Dimension.values()) {
      Double s = all.get(dimension);
      if (s == null || !(s >= 0) || Double.isInfinite(s)) {
        throw new IllegalArgumentException(
            "exponents: got %s for %s, expected a number of 0 or more".formatted(s, dimension));
      }
    }
    exponents = Map.copyOf(all);
  }

  /** The paper's constants for classification. */
  public static ShapeScaling paper() {
    return new ShapeScaling(PAPER_ANCHOR, PAPER_ANCHOR_COMPUTE, exponents(0.22, 0.45, 0.6));
  }

  /** Exponents by dimension. */
  public static Map<Shape.Dimension, Double> exponents(double width, double depth, double mlp) {
    return Map.of(Shape.Dimension.WIDTH, width, Shape.Dimension.DEPTH, depth, Shape.Dimension.MLP, mlp);
  }

  /** What a dimension is at a compute, before it is rounded. */
  public double at(double compute, Shape.Dimension dimension) {
    if (!(compute > 0) || Double.isInfinite(compute)) {
      throw new IllegalArgumentException("compute: got " + compute + ", expected a positive number");
    }
    double s = exponents.getOrDefault(dimension, 0.0);
    return anchor.get(dimension) * Math.pow(compute / anchorCompute, s / Shape.Dimension.values().length);
  }

  /**
   * The shape for a compute.
   *
   * @param heads what the width is rounded to a multiple of; the MLP's is 16
   */
  public Shape at(double compute, int heads) {
    return new Shape(
        multiple(at(compute, Shape.Dimension.WIDTH), heads),
        multiple(at(compute, Shape.Dimension.DEPTH), 1),
        multiple(at(compute, Shape.Dimension.MLP), MLP_MULTIPLE));
  }

  private static int multiple(double value, int of) {
    return (int) Math.max(of, of * Math.round(value / of));
  }
}
