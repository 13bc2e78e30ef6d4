package dev.fovea.vit.weights;

import dev.fovea.tensor.Shape;
import dev.fovea.vit.model.ParameterShapes;
import dev.fovea.vit.model.VitConfig;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Gathers the pieces of a model, one family's name after the other. */
final class Pieces {
  private final Map<String, Shape> parameters;
  private final List<Piece> pieces = new ArrayList<>();

  Pieces(VitConfig config) {
    parameters = ParameterShapes.of(config);
  }

  List<Piece> list() {
    return List.copyOf(pieces);
  }

  /** The whole of a parameter, in the same order of elements. */
  void whole(String from, String to, long... shape) {
    long count = Shape.of(shape).count();
    part(from, 0, to, 0, false, shape, new Axis(count, 1, 1));
  }

  /** As {@link #whole}, where the file's shape is the parameter's. */
  void same(String from, String to) {
    whole(from, to, shape(to).dims());
  }

  /** Consecutive elements of the file's tensor that are the parameter's from {@code row} on. */
  void rows(String from, String to, long row, long... shape) {
    part(
        from,
        0,
        to,
        row * shape(to).dim(-1),
        false,
        shape,
        new Axis(Shape.of(shape).count(), 1, 1));
  }

  /** A vector of the file that is the parameter's elements from {@code into} on. */
  void slice(String from, String to, long into, long count) {
    part(from, 0, to, into, false, new long[] {count}, new Axis(count, 1, 1));
  }

  /**
   * {@code count} elements of the file's tensor from {@code first} on, added to the parameter's from {@code into} on.
   */
  void added(String from, long first, String to, long into, long count, long... shape) {
    part(from, first, to, into, true, shape, new Axis(count, 1, 1));
  }

  /** A weight [out, in] and, if the parameter has one, its bias [out]. */
  void linear(String from, String to) {
    same(from + "weight", to + "weight");
    bias(from + "bias", to + "bias");
  }

  /** A bias, if the model has it. */
  void bias(String from, String to) {
    if (parameters.containsKey(to)) {
      same(from, to);
    }
  }

  /** A norm's scale and bias, as far as the model has them. */
  void norm(String from, String to) {
    bias(from + "weight", to + "weight");
    bias(from + "bias", to + "bias");
  }

  /** Any part in any order. */
  void part(String from, long first, String to, long into, boolean added, long[] shape, Axis... axes) {
    shape(to);
    pieces.add(new Piece(from, Shape.of(shape), first, to, into, Arrays.asList(axes), added));
  }

  /** Whether the model has a parameter of this name. */
  boolean has(String to) {
    return parameters.containsKey(to);
  }

  private Shape shape(String to) {
    @Nullable Shape shape = parameters.get(to);
    if (shape == null) {
      throw new AssertionError("no parameter " + to);
    }
    return shape;
  }
}
