package dev.fovea.tensor.io;

import dev.fovea.tensor.Shape;
import java.util.List;

/**
 * What a file says about one of its tensors.
 *
 * @param name the tensor's name
 * @param type how its elements are stored
 * @param shape its sizes; of rank 0 for a single number
 */
public record TensorInfo(String name, StoredType type, Shape shape) {
  /** The most axes a tensor in a file may have. */
  public static final int MAX_RANK = 64;

  /** Bytes that the elements take in the file (before compression). */
  public long storedBytes() {
    return storedBytes(type, shape.count());
  }

  /** Checks a shape read from {@code file} and returns the tensor's description. */
  static TensorInfo checked(String file, String name, StoredType type, List<Long> sizes) throws MalformedFileException {
    if (sizes.size() > MAX_RANK) {
      throw new MalformedFileException(file, name, "rank", sizes.size(), "at most " + MAX_RANK);
    }
    try {
      // Strides must fit too: where a size is 0, the product of the others is checked all the same.
      storedBytes(type, sizes.stream().reduce(1L, (a, b) -> Math.multiplyExact(a, Math.max(1, b))));
      Shape shape = Shape.of(sizes.stream().mapToLong(Long::longValue).toArray());
      storedBytes(type, shape.count());
      return new TensorInfo(name, type, shape);
    } catch (ArithmeticException | IllegalArgumentException e) {
      throw new MalformedFileException(
          file, name, "shape of " + type, sizes, "sizes of 0 or more whose product is whole bytes and below 2^63");
    }
  }

  private static long storedBytes(StoredType type, long elements) {
    if (type.bits() % 8 == 0) {
      return Math.multiplyExact(elements, type.bits() / 8);
    }
    long bits = Math.multiplyExact(elements, type.bits());
    if (bits % 8 != 0) {
      throw new ArithmeticException(bits + " bits are not whole bytes");
    }
    return bits / 8;
  }
}
