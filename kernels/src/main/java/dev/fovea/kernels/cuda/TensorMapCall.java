package dev.fovea.kernels.cuda;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.fovea.kernels.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Reference;
import java.util.List;

/** A {@link TensorMap} as {@code cuTensorMapEncodeTiled} takes it. */
final class TensorMapCall {
  private TensorMapCall() {}

  /** Writes the map; gives the driver's error code. */
  static int encode(TensorMap map, MemorySegment to) {
    List<TensorMap.Dimension> dimensions = map.dimensions();
    int rank = dimensions.size();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment sizes = arena.allocate(JAVA_LONG, rank);
      MemorySegment strides = arena.allocate(JAVA_LONG, rank);
      MemorySegment box = arena.allocate(JAVA_INT, rank);
      MemorySegment steps = arena.allocate(JAVA_INT, rank);
      for (int i = 0; i < rank; i++) {
        TensorMap.Dimension dimension = dimensions.get(i);
        sizes.setAtIndex(JAVA_LONG, i, dimension.size());
        box.setAtIndex(JAVA_INT, i, dimension.box());
        steps.setAtIndex(JAVA_INT, i, 1);
        if (i > 0) {
          // The first stride goes without saying.
          strides.setAtIndex(JAVA_LONG, i - 1, dimension.stride());
        }
      }
      return Libcuda.encodeTiled(
          to.address(),
          type(map.dtype()),
          rank,
          map.address(),
          sizes.address(),
          strides.address(),
          box.address(),
          steps.address(),
          swizzle(map.swizzle()));
    } finally {
      Reference.reachabilityFence(to);
    }
  }

  /** A {@code CUtensorMapSwizzle}. */
  private static int swizzle(TensorMap.Swizzle swizzle) {
    return switch (swizzle) {
      case NONE -> 0;
      case BYTES_32 -> 1;
      case BYTES_64 -> 2;
      case BYTES_128 -> 3;
    };
  }

  /** A {@code CUtensorMapDataType}. */
  private static int type(DType dtype) {
    return switch (dtype) {
      case U8 -> 0;
      case I32 -> 3;
      case I64 -> 5;
      case F16 -> 6;
      case F32 -> 7;
      case F64 -> 8;
      case BF16 -> 9;
    };
  }
}
