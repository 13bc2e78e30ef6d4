package dev.fovea.vit.weights;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.CpuDevice;
import dev.fovea.tensor.Device;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.io.TensorFile;
import dev.fovea.tensor.io.TensorInfo;
import dev.fovea.vit.model.ParameterShapes;
import dev.fovea.vit.model.VitConfig;
import java.io.IOException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** How the tensors of a family's files make up a model's parameters; works both ways. */
public final class WeightMap {
  private final VitConfig config;

  /** Pieces by the file's tensor, each of which is read once. */
  private final Map<String, List<Piece>> sources;

  private final Predicate<String> ignored;

  /** @param ignored names of tensors that are none of this model's, as those of a text tower */
  WeightMap(VitConfig config, List<Piece> pieces, Predicate<String> ignored) {
    this.config = config;
    this.ignored = ignored;
    sources = pieces.stream().collect(Collectors.groupingBy(Piece::source, LinkedHashMap::new, Collectors.toList()));
    requireAll(pieces);
  }

  /** The map of timm's names, for a file that holds {@code names}. */
  public static WeightMap timm(VitConfig config, Set<String> names) {
    return new WeightMap(config, TimmNames.of(config, new Names(names)), name -> false);
  }

  private void requireAll(List<Piece> pieces) {
    Map<String, Long> covered = new HashMap<>();
    Set<String> summed = new HashSet<>();
    for (Piece piece : pieces) {
      covered.merge(piece.target(), piece.count(), Long::sum);
      if (piece.added()) {
        summed.add(piece.target());
      }
    }
    ParameterShapes.of(config).forEach((name, shape) -> {
      long count = covered.getOrDefault(name, 0L);
      if (count < shape.count() || count > shape.count() && !summed.contains(name)) {
        throw new AssertionError("%s: pieces of %d elements for %s".formatted(name, count, shape));
      }
    });
  }

  /** The file's names of the tensors that make up the model. */
  public Set<String> names() {
    return sources.keySet();
  }

  /**
   * Reads a model's parameters into the current scope.
   *
   * @param dtype what they are converted to: F32 or BF16
   * @throws IllegalArgumentException listing everything that is missing, left over, of another shape or not of numbers
   */
  public Map<String, Tensor> load(TensorFile file, DType dtype) throws IOException {
    check(file, dtype);
    Map<String, Tensor> parameters = new LinkedHashMap<>();
    try (Scope scope = Scope.open()) {
      Device device = scope.device();
      boolean onHost = device instanceof CpuDevice;
      // Put together on the CPU, whose memory can be written element by element.
      try (Scope host = Scope.open(onHost ? device : Device.cpu())) {
        ParameterShapes.of(config).forEach((name, shape) -> parameters.put(name, Tensor.zeros(shape, dtype)));
        for (Map.Entry<String, List<Piece>> source : sources.entrySet()) {
          try (Tensor tensor = file.load(source.getKey(), dtype)) {
            for (Piece piece : source.getValue()) {
              PieceCopy.load(piece, tensor, Objects.requireNonNull(parameters.get(piece.target())));
            }
          }
        }
        parameters.replaceAll((name, made) -> host.keep(onHost ? made : made.to(device)));
      }
      parameters.values().forEach(scope::keep);
    }
    return parameters;
  }

  /**
   * Takes gradients apart, under the file's names and in its shapes, in the current scope. Where a parameter is a sum
   * of several tensors, each of them has the sum's gradient.
   *
   * @param gradients by our names; those that are absent are left out
   */
  public Map<String, Tensor> split(Map<String, Tensor> gradients) {
    return split(gradients, true);
  }

  /**
   * Takes parameters apart, so that {@link #load} would make them again. Where a parameter is a sum of several tensors,
   * the first of them is the sum and the others are zero.
   */
  Map<String, Tensor> export(Map<String, Tensor> parameters) {
    return split(parameters, false);
  }

  private Map<String, Tensor> split(Map<String, Tensor> wholes, boolean sharing) {
    Map<String, Tensor> parts = new LinkedHashMap<>();
    Set<String> given = new TreeSet<>();
    try (Scope scope = Scope.open(Device.cpu())) {
      Map<String, Tensor> there = new HashMap<>();
      wholes.forEach(
          (name, whole) -> there.put(name, whole.device() instanceof CpuDevice ? whole : whole.to(Device.cpu())));
      sources.forEach((source, pieces) -> {
        for (Piece piece : pieces) {
          Tensor whole = there.get(piece.target());
          if (whole == null) {
            continue;
          }
          Tensor part = parts.computeIfAbsent(source, name -> Tensor.zeros(piece.shape(), whole.dtype()));
          if (sharing || !piece.added() || given.add(piece.target() + " " + piece.targetFirst())) {
            PieceCopy.store(piece, whole, part);
          }
        }
      });
      parts.values().forEach(scope::keep);
    }
    return parts;
  }

  private void check(TensorFile file, DType dtype) throws IOException {
    Problems problems = new Problems();
    Set<String> left = new TreeSet<>(file.names());
    for (Map.Entry<String, List<Piece>> source : sources.entrySet()) {
      Shape expected = source.getValue().getFirst().shape();
      String name = source.getKey();
      if (!left.remove(name)) {
        problems.add("missing", name + " " + expected);
        continue;
      }
      TensorInfo info = file.info(name);
      if (!info.shape().equals(expected)) {
        problems.add("shape", "%s is %s, expected %s".formatted(name, info.shape(), expected));
      } else if (!info.type().loadsAs(dtype)) {
        problems.add("type", "%s is %s, expected a floating-point type".formatted(name, info.type()));
      }
    }
    left.stream().filter(ignored.negate()).forEach(name -> problems.add("unknown", name));
    problems.throwAs(file + ": tensors do not fit the configuration");
  }
}
