package dev.fovea.tensor.io;

import dev.fovea.kernels.DType;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** The elements of an npy file. */
final class NpyData {
  private static final int CHUNK = 1 << 16;

  private NpyData() {}

  /** Reads all elements behind {@code header} as row-major elements of {@code dtype}; then {@code in} must end. */
  static void read(String file, NpyHeader header, InputStream in, DType dtype, MemorySegment target)
      throws IOException {
    TensorInfo info = header.info();
    Elements elements = new Elements(info, header.order(), dtype);
    Elements.requireSize(info, dtype, target);
    if (!header.columnMajor()) {
      readInOrder(file, info, in, elements, dtype, target);
      return;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment stored = arena.allocate(target.byteSize(), Long.BYTES);
      readInOrder(file, info, in, elements, dtype, stored);
      reorder(stored, info.shape().dims(), dtype.bytes(), target);
    }
  }

  private static void readInOrder(
      String file, TensorInfo info, InputStream in, Elements elements, DType dtype, MemorySegment target)
      throws IOException {
    byte[] chunk = new byte[(int) Math.min(CHUNK, info.storedBytes())];
    MemorySegment bytes = MemorySegment.ofArray(chunk);
    int elementBytes = info.type().bits() / 8;
    long count = info.shape().count();
    for (long done = 0; done < count; ) {
      int n = (int) Math.min(CHUNK / elementBytes, count - done);
      int read = in.readNBytes(chunk, 0, n * elementBytes);
      if (read < n * elementBytes) {
        throw new MalformedFileException(file, info.name(), "data", "its end", info.storedBytes() + " bytes");
      }
      elements.convert(bytes, n, target, done * dtype.bytes());
      done += n;
    }
    if (in.read() >= 0) {
      throw new MalformedFileException(file, info.name(), "data", "more", info.storedBytes() + " bytes");
    }
  }

  /** Copies elements whose first axis is the fastest to where the last axis is. */
  private static void reorder(MemorySegment source, long[] dims, int bytes, MemorySegment target) {
    int last = dims.length - 1;
    long[] index = new long[dims.length];
    long[] strides = new long[dims.length];
    long stride = 1;
    for (int i = 0; i <= last; i++) {
      strides[i] = stride;
      stride *= dims[i];
    }
    long count = stride;
    for (long done = 0; done < count; done += dims[last]) {
      long from = 0;
      for (int i = 0; i < last; i++) {
        from += index[i] * strides[i];
      }
      copyStrided(source, from, strides[last], dims[last], bytes, target, done);
      for (int i = last - 1; i >= 0 && ++index[i] == dims[i]; i--) {
        index[i] = 0;
      }
    }
  }

  private static void copyStrided(
      MemorySegment source, long from, long stride, long count, int bytes, MemorySegment target, long to) {
    for (long i = 0; i < count; i++) {
      long read = (from + i * stride) * bytes;
      long write = (to + i) * bytes;
      switch (bytes) {
        case 1 -> target.set(ValueLayout.JAVA_BYTE, write, source.get(ValueLayout.JAVA_BYTE, read));
        case 2 ->
          target.set(ValueLayout.JAVA_SHORT_UNALIGNED, write, source.get(ValueLayout.JAVA_SHORT_UNALIGNED, read));
        case 4 -> target.set(ValueLayout.JAVA_INT_UNALIGNED, write, source.get(ValueLayout.JAVA_INT_UNALIGNED, read));
        default ->
          target.set(ValueLayout.JAVA_LONG_UNALIGNED, write, source.get(ValueLayout.JAVA_LONG_UNALIGNED, read));
      }
    }
  }
}
