package dev.fovea.vit.weights;

import dev.fovea.tensor.Shape;

/**
 * Where a part of a file's tensor lies in a parameter of ours: {@code rows} x {@code columns} elements. Rows of the
 * source are as long as its last axis, unless the piece is one row of everything.
 *
 * @param source the file's name for it
 * @param shape the file's shape
 * @param target our name
 * @param rows of the part
 * @param columns of the part
 * @param firstColumn where the part begins in the source's rows
 * @param row where it begins in the target
 * @param column where it begins in the target's rows
 */
record Piece(
    String source, Shape shape, String target, long rows, long columns, long firstColumn, long row, long column) {
  /** Elements between rows of the source. */
  long sourceLd() {
    return rows == 1 ? shape.count() : shape.count() / rows;
  }

  /** Elements between rows of the target, whose shape is given. */
  long targetLd(Shape target) {
    return target.rank() == 1 || rows == 1 && columns == target.count() ? target.count() : target.dim(-1);
  }
}
