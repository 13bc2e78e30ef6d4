package dev.fovea.kernels.cuda;

import dev.fovea.kernels.DType;
import dev.fovea.kernels.Span;

/** Writes one value everywhere, and copies rows: the kernels that do not compute. */
final class CudaCopies {
  private static final int THREADS = 256;
  private static final int BLOCKS_PER_MULTIPROCESSOR = 8;
  private static final int[] FILL_BYTES = {1, 2, 4, 8};
  private static final int[] COPY_BYTES = {1, 2, 4, 8, 16};

  private final CudaQueue queue;
  private final CudaKernel[] fills;
  private final CudaKernel[] rowCopies;
  private final int mostBlocks;

  CudaCopies(CudaQueue queue) {
    this.queue = queue;
    fills = kernels(queue, "fill_", FILL_BYTES);
    rowCopies = kernels(queue, "copy_rows_", COPY_BYTES);
    mostBlocks = BLOCKS_PER_MULTIPROCESSOR * queue.device().multiprocessors();
  }

  private static CudaKernel[] kernels(CudaQueue queue, String name, int[] bytes) {
    CudaKernel[] kernels = new CudaKernel[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      kernels[i] = queue.family("memory").kernel(name + 8 * bytes[i]);
    }
    return kernels;
  }

  /** As {@link dev.fovea.kernels.ElementwiseKernels#fill}. */
  void fill(Span x, double value) {
    if (x.bytes() == 0) {
      return;
    }
    long bits = bits(x.dtype(), value);
    int width = x.dtype().bytes();
    while (width < Long.BYTES && (x.address() | x.bytes()) % (2L * width) == 0) {
      bits |= bits << 8 * width; // the same bytes in wider elements
      width *= 2;
    }
    long count = x.bytes() / width;
    Launch launch = queue
        .launch()
        .grid(Math.min((count + THREADS - 1) / THREADS, mostBlocks), 1, 1)
        .block(THREADS, 1, 1)
        .pointer(x.address())
        .i64(count)
        .i64(bits);
    queue.run(fills[Integer.numberOfTrailingZeros(width)], launch);
  }

  /** As {@link dev.fovea.kernels.ElementwiseKernels#copy}. */
  void copy(long rows, int columns, Span x, long ldx, Span y, long ldy) {
    int bytes = x.dtype().bytes();
    if (ldx == columns && ldy == columns) {
      queue.driver().copy(y.address(), x.address(), rows * columns * bytes, queue.stream());
      return;
    }
    long rowBytes = (long) columns * bytes;
    long aligned = x.address() | y.address() | ldx * bytes | ldy * bytes | rowBytes;
    int width = (int) Math.min(Long.lowestOneBit(aligned), COPY_BYTES[COPY_BYTES.length - 1]);
    Launch launch = queue
        .launch()
        .grid(Math.min(rows, mostBlocks), 1, 1)
        .block(THREADS, 1, 1)
        .pointer(x.address())
        .pointer(y.address())
        .i64(rows)
        .i64(ldx * bytes / width)
        .i64(ldy * bytes / width)
        .i64(rowBytes / width);
    queue.run(rowCopies[Integer.numberOfTrailingZeros(width)], launch);
  }

  /** The value as an element's bits; unsigned. */
  private static long bits(DType dtype, double value) {
    return switch (dtype) {
      case F32 -> Integer.toUnsignedLong(Float.floatToRawIntBits((float) value));
      case F64 -> Double.doubleToRawLongBits(value);
      case F16 -> Short.toUnsignedLong(Float.floatToFloat16(odd(value)));
      case BF16 -> bf16(odd(value)) & 0xffffL;
      case I32 -> Integer.toUnsignedLong((int) Math.rint(value));
      case I64 -> (long) Math.rint(value);
      case U8 -> (long) Math.rint(value) & 0xff;
    };
  }

  /** Rounded to float such that rounding the float once more, to nearest, is as if there had been one rounding. */
  private static float odd(double value) {
    float near = (float) value;
    if (near == value || Double.isNaN(value) || Float.isInfinite(near) || (Float.floatToRawIntBits(near) & 1) == 1) {
      return near;
    }
    return near < value ? Math.nextUp(near) : Math.nextDown(near);
  }

  private static int bf16(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      return bits >>> 16 | 0x40;
    }
    return bits + 0x7fff + (bits >>> 16 & 1) >>> 16;
  }
}
