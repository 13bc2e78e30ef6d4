package dev.fovea.vit.weights;

import dev.fovea.tensor.Shape;
import dev.fovea.tensor.io.TensorFile;
import java.io.IOException;

/**
 * A file of tensors whose shapes say what its configuration does not.
 *
 * @param file the tensors
 * @param names their names
 */
record Found(TensorFile file, Names names) {
  Found(TensorFile file) {
    this(file, new Names(file.names()));
  }

  /** Size of an axis (from the end if negative), or {@code otherwise} if there is no such tensor or axis. */
  int dim(String name, int axis, int otherwise) throws IOException {
    if (!names.has(name)) {
      return otherwise;
    }
    Shape shape = file.info(name).shape();
    if (axis >= shape.rank() || -axis > shape.rank()) {
      return otherwise;
    }
    long size = shape.dim(axis);
    if (size < 1 || size > Limits.ANY) {
      throw new IllegalArgumentException(
          "%s: %s: got %s, expected sizes from 1 to %d".formatted(file, name, shape, Limits.ANY));
    }
    return (int) size;
  }

  /** Whether there is such a tensor, of no elements. */
  boolean empty(String name) throws IOException {
    return names.has(name) && file.info(name).shape().count() == 0;
  }

  /** Number of axes, 0 if there is no such tensor. */
  int rank(String name) throws IOException {
    return names.has(name) ? file.info(name).shape().rank() : 0;
  }

  /** Side of a square of {@code patches}, or 0 if they are none. */
  static int side(int patches) {
    int side = (int) Math.round(Math.sqrt(patches));
    return side * side == patches ? side : 0;
  }
}
