package dev.fovea.tensor.io;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/**
 * An open safetensors file, and writing such files.
 *
 * <p><b>Format.</b> Eight bytes with the header's length, little-endian; the header, a JSON object in UTF-8 that maps
 * each name to {@code {"dtype": "F32", "shape": [2, 3], "data_offsets": [0, 24]}} and optionally {@code __metadata__}
 * to an object of strings, padded with spaces; the tensors' bytes, little-endian and row-major, without holes. Offsets
 * count from the end of the header. Members of a description other than these three are passed over.
 *
 * <p><b>Limits.</b> A header of at most 100,000,000 bytes (as in the reference implementation), names of at most 50,000
 * characters, {@value TensorInfo#MAX_RANK} axes. Files may be of any length. The whole header is checked on opening: an
 * open file has no tensor outside its bytes, and none that shares bytes with another.
 */
public final class Safetensors implements TensorFile {
  private final String file;
  private final MemorySegment content;
  private final SafetensorsHeader header;
  private final @Nullable Arena owned;

  private Safetensors(String file, MemorySegment content, @Nullable Arena owned) throws MalformedFileException {
    this.file = file;
    this.content = content.asReadOnly();
    this.header = SafetensorsHeader.read(file, content);
    this.owned = owned;
  }

  /**
   * Maps a file and checks its header.
   *
   * @throws MalformedFileException if the content breaks the rules of the format
   */
  public static Safetensors open(Path path) throws IOException {
    Arena arena = Arena.ofShared();
    try {
      return new Safetensors(path.toString(), Mapping.map(path, arena), arena);
    } catch (Throwable e) {
      arena.close();
      throw e;
    }
  }

  /** The file at {@code path}, until {@code arena} is closed; its own closing does nothing. */
  static Safetensors open(Path path, Arena arena) throws IOException {
    return new Safetensors(path.toString(), Mapping.map(path, arena), null);
  }

  /** The file whose bytes are {@code content}, called {@code file} in messages. */
  static Safetensors of(String file, MemorySegment content) throws MalformedFileException {
    return new Safetensors(file, content, null);
  }

  @Override
  public List<String> names() {
    return List.copyOf(header.tensors().keySet());
  }

  @Override
  public TensorInfo info(String name) {
    return entry(name).info();
  }

  /** A tensor's bytes in the mapped file: read-only, valid until the file is closed, perhaps unaligned. */
  public MemorySegment segment(String name) {
    SafetensorsHeader.Entry entry = entry(name);
    return content.asSlice(entry.begin(), entry.end() - entry.begin());
  }

  @Override
  public void copyTo(String name, DType dtype, MemorySegment target) {
    TensorInfo info = info(name);
    Elements elements = new Elements(info, ByteOrder.LITTLE_ENDIAN, dtype);
    Elements.requireSize(info, dtype, target);
    elements.convert(segment(name), info.shape().count(), target, 0);
  }

  @Override
  public Tensor load(String name) {
    return load(name, Tensors.dtype(info(name)));
  }

  @Override
  public Tensor load(String name, DType dtype) {
    return Tensors.load(info(name), dtype, target -> copyTo(name, dtype, target));
  }

  /**
   * A read-only tensor on the mapped file itself, in the current scope: nothing is copied. It can be used until the
   * file is closed.
   *
   * @throws IllegalArgumentException if the type is one that loads converted, or the data is not aligned to its
   *     elements (files written by {@link #write} always are); {@link #load} it then
   */
  public Tensor wrap(String name) {
    return Tensors.wrap(info(name), segment(name));
  }

  /** {@linkplain #write(Path, Map, Map) Writes} tensors without notes. */
  public static void write(Path path, Map<String, Tensor> tensors) throws IOException {
    write(path, tensors, Map.of());
  }

  /**
   * Writes tensors and notes, replacing what is at {@code path} at once and only when all is on the disk; if it fails,
   * that stays as it was. (Of a link, the link is replaced.) Tensors are written as they are, one after the other. They
   * are sorted as the reference implementation does, by type and name, and aligned to their elements; equal tensors and
   * notes give equal bytes.
   *
   * @throws IllegalArgumentException if a name is {@code __metadata__}, a name or note is not valid Unicode or the
   *     header would exceed its limit
   * @throws IOException if the file cannot be written
   */
  public static void write(Path path, Map<String, Tensor> tensors, Map<String, String> metadata) throws IOException {
    SafetensorsWriter writer = new SafetensorsWriter(Tensors.sources(tensors), metadata);
    AtomicFile.write(path, writer::writeTo);
  }

  @Override
  public Map<String, String> metadata() {
    return header.metadata();
  }

  @Override
  public void close() {
    if (owned != null) {
      owned.close();
    }
  }

  @Override
  public String toString() {
    return file + " with " + header.tensors().size() + " tensors";
  }

  private SafetensorsHeader.Entry entry(String name) {
    SafetensorsHeader.@Nullable Entry entry = header.tensors().get(name);
    if (entry == null) {
      throw new NoSuchElementException("no tensor \"" + MalformedFileException.printable(name) + "\" in " + this);
    }
    return entry;
  }
}
