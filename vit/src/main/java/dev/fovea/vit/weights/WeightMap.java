package dev.fovea.vit.weights;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.ElementwiseKernels;
import dev.fovea.kernels.Span;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.io.TensorFile;
import dev.fovea.vit.model.ParameterShapes;
import dev.fovea.vit.model.VitConfig;
import java.io.IOException;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;

/** How the tensors of a family's files make up a model's parameters; works both ways. */
public final class WeightMap {
  private final VitConfig config;
  private final List<Piece> pieces;

  WeightMap(VitConfig config, List<Piece> pieces) {
    this.config = config;
    this.pieces = pieces;
  }

  /** The map of timm's names, for a file that holds {@code names}. */
  public static WeightMap timm(VitConfig config, Set<String> names) {
    return new WeightMap(config, TimmNames.of(config, names));
  }

  /**
   * Reads a model's parameters into the current scope.
   *
   * @param dtype what they are converted to: F32 or BF16
   * @throws IllegalArgumentException listing everything that is missing, left over, or of another shape
   */
  public Map<String, Tensor> load(TensorFile file, DType dtype) throws IOException {
    check(file);
    Map<String, Tensor> parameters = new LinkedHashMap<>();
    try (Scope scope = Scope.open()) {
      ParameterShapes.of(config).forEach((name, shape) -> parameters.put(name, Tensor.zeros(shape, dtype)));
      ElementwiseKernels kernels = scope.device().kernels().elementwise();
      for (Piece piece : pieces) {
        Tensor source = file.load(piece.source(), dtype);
        Tensor whole = Objects.requireNonNull(parameters.get(piece.target()), piece.target());
        Span target = part(piece, whole);
        kernels.copy(
            piece.rows(),
            Math.toIntExact(piece.columns()),
            source.span().from(piece.firstColumn()),
            piece.sourceLd(),
            target,
            piece.targetLd(whole.shape()));
        source.close();
      }
      parameters.values().forEach(scope::keep);
    }
    return parameters;
  }

  /**
   * Takes the parameters apart again, under the file's names and in its shapes, in the current scope.
   *
   * @param parameters tensors by our names, for example gradients
   */
  public Map<String, Tensor> split(Map<String, Tensor> parameters) {
    Map<String, Tensor> sources = new LinkedHashMap<>();
    for (Piece piece : pieces) {
      Tensor whole = parameters.get(piece.target());
      if (whole == null) {
        continue;
      }
      Tensor source = sources.computeIfAbsent(piece.source(), name -> Tensor.empty(piece.shape(), whole.dtype()));
      source
          .device()
          .kernels()
          .elementwise()
          .copy(
              piece.rows(),
              Math.toIntExact(piece.columns()),
              part(piece, whole),
              piece.targetLd(whole.shape()),
              source.span().from(piece.firstColumn()),
              piece.sourceLd());
    }
    return sources;
  }

  /** The target from the piece's first element on. */
  private static Span part(Piece piece, Tensor target) {
    return target.span().from(piece.row() * piece.targetLd(target.shape()) + piece.column());
  }

  private void check(TensorFile file) throws IOException {
    StringBuilder wrong = new StringBuilder();
    Set<String> left = new HashSet<>(file.names());
    Set<String> seen = new HashSet<>();
    for (Piece piece : pieces) {
      if (!seen.add(piece.source())) {
        continue;
      }
      if (!left.remove(piece.source())) {
        wrong.append("\n  missing: ").append(piece.source()).append(' ').append(piece.shape());
        continue;
      }
      Shape shape = file.info(piece.source()).shape();
      if (!shape.equals(piece.shape())) {
        wrong
            .append("\n  shape: ")
            .append(piece.source())
            .append(" is ")
            .append(shape)
            .append(", expected ")
            .append(piece.shape());
      }
    }
    left.stream().sorted().forEach(name -> wrong.append("\n  unknown: ").append(name));
    if (!wrong.isEmpty()) {
      throw new IllegalArgumentException("weights do not fit the configuration:" + wrong);
    }
  }
}
