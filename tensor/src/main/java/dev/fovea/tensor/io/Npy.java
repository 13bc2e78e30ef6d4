package dev.fovea.tensor.io;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.Tensor;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.function.Function;

/**
 * Npy files: one tensor each, as numpy saves them.
 *
 * <p><b>Read.</b> Versions 1 to 3; numbers of {@code f2 f4 f8 i1 i2 i4 i8 u1 u2 u4 u8} and {@code b1}, in either byte
 * order, and {@code V2} as bfloat16 (numpy has no name for it, and this is how JAX and ml_dtypes save it); row-major or
 * column-major ({@code fortran_order}; rearranged on loading, with a copy of the tensor's size in between).
 * {@link StoredType} says what they load as. Anything else (complex numbers, strings, records, pickled objects) is a
 * {@link MalformedFileException}; nothing of a file is ever executed.
 *
 * <p><b>Limits.</b> A header of at most 1 MiB, {@value TensorInfo#MAX_RANK} axes, and exactly the bytes that the shape
 * asks for.
 */
public final class Npy {
  private Npy() {}

  /**
   * Reads the tensor into the current scope, as the dtype that {@link StoredType} names.
   *
   * @throws MalformedFileException if the content breaks the rules of the format
   * @throws IllegalArgumentException if its type does not load
   * @throws IllegalStateException if no scope is open
   */
  public static Tensor load(Path path) throws IOException {
    return load(path, Tensors::dtype);
  }

  /** Reads the tensor into the current scope, converted to {@code dtype}; throws as {@link #load(Path)}. */
  public static Tensor load(Path path, DType dtype) throws IOException {
    return load(path, info -> dtype);
  }

  private static Tensor load(Path path, Function<TensorInfo, DType> target) throws IOException {
    String file = path.toString();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment content = Mapping.map(path, arena);
      TensorInfo info = info(file, content);
      DType dtype = target.apply(info);
      return Tensors.load(info, dtype, segment -> copyTo(file, content, dtype, segment));
    }
  }

  /**
   * Writes a tensor, replacing what is at {@code path} at once and only when all is on the disk; if it fails, that
   * stays as it was. BF16 is written as {@code V2}.
   *
   * @throws IOException if the file cannot be written
   */
  public static void write(Path path, Tensor tensor) throws IOException {
    AtomicFile.write(path, channel -> NpzWriter.writeNpy(Tensors.source("", tensor), channel));
  }

  /** Reads the header of an npy file in memory. */
  static TensorInfo info(String file, MemorySegment content) throws IOException {
    return NpyHeader.read(file, file, new SegmentInputStream(content), content.byteSize())
        .info();
  }

  /** Reads the elements of an npy file in memory. */
  static void copyTo(String file, MemorySegment content, DType dtype, MemorySegment target) throws IOException {
    InputStream in = new SegmentInputStream(content);
    NpyData.read(file, NpyHeader.read(file, file, in, content.byteSize()), in, dtype, target);
  }
}
