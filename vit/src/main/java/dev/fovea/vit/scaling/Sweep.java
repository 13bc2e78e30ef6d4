package dev.fovea.vit.scaling;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;

/**
 * Models to train so that laws can be fitted to how well they do.
 *
 * @param points each once, those that cost least first
 */
public record Sweep(List<Point> points) {
  /**
   * A model to train.
   *
   * @param shape of the model
   * @param steps of its training
   * @param trainSize pictures of the built-in set to learn from; 0 for as many as configured
   */
  public record Point(Shape shape, long steps, int trainSize) {
    /** What a run takes beside its steps, in weights that a step trains. */
    private static final double RUN = 1e7;

    /** What a step takes beside its blocks. */
    private static final double STEP = 2e5;

    /** Checks the numbers. */
    public Point {
      if (steps < 1 || trainSize < 0) {
        throw new IllegalArgumentException(
            "sweep: got %d steps on %d pictures, expected at least one step".formatted(steps, trainSize));
      }
    }

    /** The name of its folder. */
    public String name() {
      return "w%d-d%d-m%d-s%d%s"
          .formatted(shape.width(), shape.depth(), shape.mlp(), steps, trainSize == 0 ? "" : "-n" + trainSize);
    }

    /** About how long it takes, in a unit of its own: the weights of its blocks, and what even the smallest takes. */
    double effort() {
      double d = shape.width();
      return RUN + steps * (STEP + shape.depth() * (4 * d * d + 2 * d * shape.mlp()));
    }
  }

  /** Copies the points, in the order of their efforts. */
  public Sweep {
    points = points.stream()
        .distinct()
        .sorted(Comparator.comparingDouble(Point::effort))
        .toList();
    if (points.isEmpty()) {
      throw new IllegalArgumentException("sweep: got no model, expected at least one");
    }
  }

  /**
   * Every width with every depth, MLP, number of steps and number of pictures.
   *
   * @param trainSizes 0 for as many as configured
   */
  public static Sweep grid(
      List<Integer> widths, List<Integer> depths, List<Integer> mlps, List<Long> steps, List<Integer> trainSizes) {
    List<Shape> shapes = new ArrayList<>();
    for (int width : widths) {
      for (int depth : depths) {
        mlps.forEach(mlp -> shapes.add(new Shape(width, depth, mlp)));
      }
    }
    return of(shapes, steps, trainSizes);
  }

  /**
   * A centre, and shapes that differ from it in one dimension each (Getting ViT in Shape, section 3.3).
   *
   * @param center best larger than all others, so that it limits none of them
   */
  public static Sweep star(
      Shape center,
      List<Integer> widths,
      List<Integer> depths,
      List<Integer> mlps,
      List<Long> steps,
      List<Integer> trainSizes) {
    Set<Shape> shapes = new LinkedHashSet<>();
    shapes.add(center);
    widths.forEach(width -> shapes.add(new Shape(width, center.depth(), center.mlp())));
    depths.forEach(depth -> shapes.add(new Shape(center.width(), depth, center.mlp())));
    mlps.forEach(mlp -> shapes.add(new Shape(center.width(), center.depth(), mlp)));
    return of(List.copyOf(shapes), steps, trainSizes);
  }

  private static Sweep of(List<Shape> shapes, List<Long> steps, List<Integer> trainSizes) {
    List<Point> points = new ArrayList<>();
    for (Shape shape : shapes) {
      for (long number : steps) {
        trainSizes.forEach(size -> points.add(new Point(shape, number, size)));
      }
    }
    return new Sweep(points);
  }
}
