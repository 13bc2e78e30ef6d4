package dev.fovea.vit.scaling;

import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Runs around a large shape, the centre, each different from it in one dimension at most (Getting ViT in Shape, section
 * 3.3).
 *
 * @param center the shape that every run shares two dimensions with
 * @param arms the runs of each dimension; runs of the centre itself belong to all
 */
public record StarSweep(Shape center, Map<Shape.Dimension, List<Run>> arms) {
  /**
   * A run.
   *
   * @param size of the dimension that varies
   * @param compute of the run
   * @param error of the run
   */
  public record Run(double size, double compute, double error) {}

  /** Copies the map. */
  public StarSweep {
    arms = Map.copyOf(arms);
  }

  /** The runs of a dimension. */
  public List<Run> arm(Shape.Dimension dimension) {
    return arms.getOrDefault(dimension, List.of());
  }

  /**
   * Reads columns {@code width}, {@code depth}, {@code mlp}, {@code compute} and {@code error}. The centre is what most
   * runs have in each.
   *
   * @throws IOException if a column is missing, or a run differs from the centre in two dimensions
   */
  public static StarSweep of(RunTable table) throws IOException {
    double[] width = table.column("width");
    double[] depth = table.column("depth");
    double[] mlp = table.column("mlp");
    double[] compute = table.column("compute");
    double[] error = table.column("error");
    Shape center = new Shape(mostFrequent(width), mostFrequent(depth), mostFrequent(mlp));
    Map<Shape.Dimension, List<Run>> arms = new EnumMap<>(Shape.Dimension.class);
    for (int i = 0; i < table.size(); i++) {
      Map<Shape.Dimension, Double> shape =
          Map.of(Shape.Dimension.WIDTH, width[i], Shape.Dimension.DEPTH, depth[i], Shape.Dimension.MLP, mlp[i]);
      Map<Shape.Dimension, Double> different = new EnumMap<>(shape);
      different.entrySet().removeIf(entry -> entry.getValue() == center.get(entry.getKey()));
      if (different.size() > 1) {
        throw new IOException("run %d differs from the centre, %s, in %d dimensions, expected one at most"
            .formatted(i + 1, center, different.size()));
      }
      for (var entry : (different.isEmpty() ? shape : different).entrySet()) {
        arms.computeIfAbsent(entry.getKey(), absent -> new ArrayList<>())
            .add(new Run(entry.getValue(), compute[i], error[i]));
      }
    }
    return new StarSweep(center, arms);
  }

  private static int mostFrequent(double[] values) {
    Map<Double, Integer> counts = new HashMap<>();
    for (double value : values) {
      counts.merge(value, 1, Integer::sum);
    }
    return (int) Math.round(counts.entrySet().stream()
        .max(Map.Entry.<Double, Integer>comparingByValue().thenComparing(Map.Entry.comparingByKey()))
        .orElseThrow()
        .getKey());
  }
}
