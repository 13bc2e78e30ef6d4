package dev.fovea.vit.weights;

import dev.fovea.tensor.Shape;
import java.util.List;

/**
 * Where a part of a file's tensor lies in a parameter of ours, perhaps with its axes in another order.
 *
 * @param source the file's name for it
 * @param shape the file's shape
 * @param sourceFirst the part's first element there
 * @param target our name
 * @param targetFirst the part's first element there
 * @param axes the loops of the copy, outermost first
 * @param added whether it is added to what other pieces put there, as a token and its position may be
 */
record Piece(
    String source, Shape shape, long sourceFirst, String target, long targetFirst, List<Axis> axes, boolean added) {
  Piece {
    axes = Axis.merged(axes);
  }

  /** Elements of the part. */
  long count() {
    return axes.stream().mapToLong(Axis::size).reduce(1, Math::multiplyExact);
  }
}
