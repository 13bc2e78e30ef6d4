package dev.fovea.tensor.io;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * An open file of named tensors, read one tensor at a time. Reading may go on in several threads at once; closing while
 * another thread reads makes the close or the read throw {@link IllegalStateException}.
 *
 * <p>The file must not change while it is open. If it is cut short, reading what is gone is an {@link InternalError} of
 * the memory mapping.
 */
public interface TensorFile extends AutoCloseable {
  /**
   * Opens a {@code .safetensors}, {@code .safetensors.index.json} or {@code .npz} file.
   *
   * @throws MalformedFileException if the content breaks the rules of the format
   * @throws IllegalArgumentException if the name has none of these endings
   */
  static TensorFile open(Path path) throws IOException {
    String name = String.valueOf(path.getFileName());
    if (name.endsWith(".safetensors")) {
      return Safetensors.open(path);
    } else if (name.endsWith(".safetensors.index.json")) {
      return ShardedSafetensors.open(path);
    } else if (name.endsWith(".npz")) {
      return Npz.open(path);
    }
    throw new IllegalArgumentException(
        "file name: got " + name + ", expected one that ends in .safetensors, .safetensors.index.json or .npz");
  }

  /** Names of all tensors, in the order of their data. */
  List<String> names();

  /**
   * Type and shape of a tensor.
   *
   * @throws java.util.NoSuchElementException if there is no such tensor
   * @throws MalformedFileException if the tensor's own header is malformed (npz; other formats find that on opening)
   */
  TensorInfo info(String name) throws IOException;

  /**
   * Reads a tensor's elements, converted to {@code dtype}, row-major and contiguous, into {@code target}.
   *
   * @throws java.util.NoSuchElementException if there is no such tensor
   * @throws IllegalArgumentException if it does not load as {@code dtype} (see {@link StoredType}), or {@code target}
   *     has not exactly the bytes of the converted tensor
   * @throws MalformedFileException if the compressed data is damaged; {@code target} may then be partly written
   */
  void copyTo(String name, DType dtype, MemorySegment target) throws IOException;

  /**
   * Reads a tensor into the current scope, as the dtype that {@link StoredType} names.
   *
   * @throws java.util.NoSuchElementException if there is no such tensor
   * @throws IllegalArgumentException if its type does not load
   * @throws MalformedFileException as {@link #copyTo}
   * @throws IllegalStateException if no scope is open
   */
  default Tensor load(String name) throws IOException {
    return load(name, Tensors.dtype(info(name)));
  }

  /** Reads a tensor into the current scope, converted to {@code dtype}; throws as {@link #copyTo} and {@link #load}. */
  default Tensor load(String name, DType dtype) throws IOException {
    return Tensors.load(info(name), dtype, target -> copyTo(name, dtype, target));
  }

  /** The file's own notes, as strings by name; empty where there are none. */
  Map<String, String> metadata();

  /** Ends the mapping; segments and tensors that look into the file may not be used any more. */
  @Override
  void close();
}
