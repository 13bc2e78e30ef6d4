package dev.fovea.kernels.cuda;

import dev.fovea.kernels.DType;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * What a bulk copy of a tensor ({@code cp.async.bulk.tensor}, compute capability 9.0) has to know: where the tensor
 * lies, and what box of it one copy moves to or from shared memory. Elements of a box that lie outside of the tensor
 * are zeros in shared memory, and are not written to the tensor.
 *
 * <p>{@link Driver#encodeTensorMap} makes of it the {@value #BYTES} bytes that a kernel takes as a
 * {@code __grid_constant__} argument.
 *
 * @param dtype F32, BF16, F16, I32, I64, F64 or U8
 * @param address in device memory, a multiple of 16
 * @param dimensions 1 to 5, the contiguous one first
 * @param swizzle how the box lies in shared memory
 */
public record TensorMap(DType dtype, long address, List<Dimension> dimensions, Swizzle swizzle) {
  /** Bytes of an encoded map. */
  public static final int BYTES = 128;

  /** What the address of an encoded map is a multiple of, on the host and as an argument. */
  public static final int ALIGNMENT = 64;

  private static final int MOST_DIMENSIONS = 5;
  private static final int MOST_BOX = 256;
  private static final int UNIT = 16;
  private static final long MOST_SIZE = 1L << 32;
  private static final long STRIDE_LIMIT = 1L << 40;

  /**
   * One dimension of a tensor.
   *
   * @param size elements, 1 to 2^32
   * @param stride bytes from one to the next: of the first dimension those of an element, of the others a multiple of
   *     16 below 2^40
   * @param box elements that one copy moves, 1 to 256; in the first dimension a multiple of 16 bytes, and no more than
   *     the swizzle's width
   */
  public record Dimension(long size, long stride, int box) {}

  /** Where the 16-byte chunks of a row of so many bytes go: bits 4 and up of the address, xor bits 7 and up. */
  public enum Swizzle {
    NONE(0),
    BYTES_32(32),
    BYTES_64(64),
    BYTES_128(128);

    private final int bytes;

    Swizzle(int bytes) {
      this.bytes = bytes;
    }

    /** The width, 0 for none. */
    public int bytes() {
      return bytes;
    }
  }

  /**
   * A map.
   *
   * @throws IllegalArgumentException if no GPU can copy by it; the message says why
   */
  public TensorMap {
    dimensions = List.copyOf(dimensions);
    check(address != 0 && address % UNIT == 0, "address", "0x%x", address, "a multiple of 16, not 0");
    int rank = dimensions.size();
    check(rank >= 1 && rank <= MOST_DIMENSIONS, "dimensions", "%d", rank, "1 to 5");
    for (int i = 0; i < rank; i++) {
      Dimension dimension = dimensions.get(i);
      String name = "dimension " + i + ": ";
      check(dimension.size >= 1 && dimension.size <= MOST_SIZE, name + "size", "%d", dimension.size, "1 to 2^32");
      check(dimension.box >= 1 && dimension.box <= MOST_BOX, name + "box", "%d", dimension.box, "1 to 256");
      if (i == 0) {
        check(
            dimension.stride == dtype.bytes(), name + "stride", "%d bytes", dimension.stride, dtype.bytes() + " bytes");
      } else {
        check(
            dimension.stride > 0 && dimension.stride % UNIT == 0 && dimension.stride < STRIDE_LIMIT,
            name + "stride",
            "%d bytes",
            dimension.stride,
            "a multiple of 16 bytes below 2^40");
      }
    }
    int row = dimensions.getFirst().box * dtype.bytes();
    check(row % UNIT == 0, "dimension 0: box", "%d bytes", row, "a multiple of 16 bytes");
    check(
        swizzle == Swizzle.NONE || row <= swizzle.bytes,
        "dimension 0: box",
        "%d bytes",
        row,
        "at most the %d bytes of the swizzle".formatted(swizzle.bytes));
  }

  private static void check(boolean holds, String name, String format, long value, String expected) {
    if (!holds) {
      throw new IllegalArgumentException(
          "tensor map: %s: got %s, expected %s".formatted(name, format.formatted(value), expected));
    }
  }

  /**
   * What every driver checks before it encodes a map.
   *
   * @param to where the map shall go
   * @throws CudaException if the device has no bulk copies
   * @throws IllegalArgumentException if no map can be written there
   */
  public static void check(DeviceInfo info, MemorySegment to) {
    if (!info.isAtLeast(9, 0)) {
      throw new CudaException(
          "CUDA_ERROR_NOT_SUPPORTED",
          "tensor map: GPU %d (%s) has compute capability %s, 9.0 or later is needed"
              .formatted(info.ordinal(), info.name(), info.capability()));
    }
    if (!to.isNative() || to.byteSize() != BYTES || to.address() % ALIGNMENT != 0) {
      throw new IllegalArgumentException(
          "tensor map: got %d bytes %s at 0x%x, expected %d bytes of native memory at a multiple of %d"
              .formatted(
                  to.byteSize(), to.isNative() ? "of native memory" : "on the heap", to.address(), BYTES, ALIGNMENT));
    }
  }

  /** Bytes of shared memory that one copy fills. */
  public int boxBytes() {
    int bytes = dtype.bytes();
    for (Dimension dimension : dimensions) {
      bytes *= dimension.box;
    }
    return bytes;
  }
}
