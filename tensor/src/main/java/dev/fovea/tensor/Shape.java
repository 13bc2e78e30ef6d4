package dev.fovea.tensor;

import java.util.Arrays;

/**
 * The sizes of a tensor's axes, slowest first. Immutable.
 *
 * <p>Rank 0 is a single number. An axis may have size 0: the tensor then has no elements but is otherwise like any
 * other, so that an empty batch needs no special case.
 */
public final class Shape {
  private static final Shape SCALAR = new Shape(new long[0]);

  private final long[] dims;
  private final long count;

  private Shape(long[] dims) {
    this.dims = dims;
    this.count = product(dims);
  }

  /**
   * The shape of these sizes.
   *
   * @throws IllegalArgumentException if a size is negative or there are more than 2^63 - 1 elements
   */
  public static Shape of(long... dims) {
    return dims.length == 0 ? SCALAR : new Shape(dims.clone());
  }

  /** The shape of a single number. */
  public static Shape scalar() {
    return SCALAR;
  }

  /** Number of axes. */
  public int rank() {
    return dims.length;
  }

  /**
   * Size of an axis.
   *
   * @param axis counted from the front, or from the end when negative: {@code -1} is the last
   * @throws IllegalArgumentException if there is no such axis
   */
  public long dim(int axis) {
    return dims[index(axis)];
  }

  /** Sizes of all axes, in a new array. */
  public long[] dims() {
    return dims.clone();
  }

  /** Number of elements: the product of the sizes, 1 for rank 0. */
  public long count() {
    return count;
  }

  /** The same shape but for the size of one axis, counted as in {@link #dim}. */
  public Shape with(int axis, long size) {
    long[] changed = dims.clone();
    changed[index(axis)] = size;
    return new Shape(changed);
  }

  /** The sizes a reshape asks for, where a single -1 stands for what remains. */
  Shape reshaped(long... to) {
    int open = -1;
    for (int i = 0; i < to.length; i++) {
      if (to[i] == -1 && open < 0) {
        open = i;
      } else if (to[i] < 0) {
        throw Check.bad("shape", Arrays.toString(to), "sizes of 0 or more, with at most one -1");
      }
    }
    long[] sizes = to.clone();
    if (open >= 0) {
      sizes[open] = 1;
      long rest = product(sizes);
      if (rest == 0 || count % rest != 0) {
        throw Check.bad("shape", Arrays.toString(to), "a shape of " + count + " elements, as " + this);
      }
      sizes[open] = count / rest;
    }
    Shape shape = of(sizes);
    if (shape.count != count) {
      throw Check.bad("shape", Arrays.toString(to), "a shape of " + count + " elements, as " + this);
    }
    return shape;
  }

  private int index(int axis) {
    int index = axis < 0 ? axis + dims.length : axis;
    if (index < 0 || index >= dims.length) {
      throw Check.bad("axis", axis, "an axis of " + this);
    }
    return index;
  }

  private static long product(long[] dims) {
    long product = 1;
    boolean overflow = false;
    boolean empty = false;
    for (long dim : dims) {
      if (dim < 0) {
        throw Check.bad("shape", Arrays.toString(dims), "sizes of 0 or more");
      }
      empty |= dim == 0;
      overflow |= Math.multiplyHigh(product, dim) != 0 || product * dim < 0;
      product *= dim;
    }
    if (overflow && !empty) {
      throw Check.bad("shape", Arrays.toString(dims), "at most 2^63 - 1 elements");
    }
    return empty ? 0 : product;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Shape shape && Arrays.equals(dims, shape.dims);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(dims);
  }

  /** For example {@code [2, 197, 768]}. */
  @Override
  public String toString() {
    return Arrays.toString(dims);
  }
}
