package dev.fovea.tensor.io;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.SequencedMap;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;

/**
 * An open npz file, and writing such files: a zip archive of {@link Npy npy} files, whose names without {@code .npy}
 * are the tensors'. Other files in the archive are passed over.
 *
 * <p><b>Read.</b> Entries stored or deflated, zip64 included; every npy file that {@link Npy} reads. The archive's
 * directory is checked on opening, a tensor's own header when it is first asked for, its CRC-32 whenever it is read.
 *
 * <p><b>Limits.</b> One disk, no encryption, no two entries of one name or with bytes in common; names are relative
 * paths without {@code ..}, in ASCII or marked as UTF-8. An entry may expand to 1 GiB or to 100 times its compressed
 * bytes, whichever is more, and never beyond what deflate can do (1032 times).
 */
public final class Npz implements TensorFile {
  static final String SUFFIX = ".npy";
  private static final long FREE_EXPANSION = 1L << 30;
  private static final long MAX_EXPANSION = 100;

  private final String file;
  private final SequencedMap<String, ZipDirectory.Entry> entries = new LinkedHashMap<>();
  private final Map<String, NpyHeader> headers = new ConcurrentHashMap<>();
  private final @Nullable Arena owned;

  private Npz(String file, MemorySegment content, @Nullable Arena owned) throws MalformedFileException {
    this.file = file;
    this.owned = owned;
    for (ZipDirectory.Entry entry : ZipDirectory.read(file, content).values()) {
      if (entry.name().endsWith(SUFFIX)) {
        if (entry.size() > FREE_EXPANSION
            && entry.size() / MAX_EXPANSION > entry.data().byteSize()) {
          throw new MalformedFileException(
              file,
              entry.name(),
              "expanded bytes",
              entry.size(),
              "at most " + FREE_EXPANSION + ", or 100 times the " + entry.data().byteSize() + " compressed ones");
        }
        entries.put(entry.name().substring(0, entry.name().length() - SUFFIX.length()), entry);
      }
    }
  }

  /**
   * Maps a file and checks its directory.
   *
   * @throws MalformedFileException if the content breaks the rules of the format
   */
  public static Npz open(Path path) throws IOException {
    Arena arena = Arena.ofShared();
    try {
      return new Npz(path.toString(), Mapping.map(path, arena), arena);
    } catch (Throwable e) {
      arena.close();
      throw e;
    }
  }

  /** The file whose bytes are {@code content}, called {@code file} in messages. */
  static Npz of(String file, MemorySegment content) throws MalformedFileException {
    return new Npz(file, content, null);
  }

  @Override
  public List<String> names() {
    return List.copyOf(entries.keySet());
  }

  @Override
  public TensorInfo info(String name) throws IOException {
    ZipDirectory.Entry entry = entry(name);
    NpyHeader header = headers.get(name);
    if (header == null) {
      try (ZipEntryStream in = new ZipEntryStream(file, entry)) {
        header = NpyHeader.read(file, name, in, entry.size());
      }
      headers.put(name, header);
    }
    return header.info();
  }

  @Override
  public void copyTo(String name, DType dtype, MemorySegment target) throws IOException {
    ZipDirectory.Entry entry = entry(name);
    try (ZipEntryStream in = new ZipEntryStream(file, entry)) {
      NpyData.read(file, NpyHeader.read(file, name, in, entry.size()), in, dtype, target);
    }
  }

  /**
   * Writes tensors in the order of the map, uncompressed as {@code numpy.savez} does, replacing what is at {@code path}
   * at once and only when all is on the disk; if it fails, that stays as it was. BF16 is written as {@code V2}. Equal
   * maps give equal bytes.
   *
   * @throws IllegalArgumentException if a name is not a relative path without {@code ..}
   * @throws IOException if the file cannot be written
   */
  public static void write(Path path, SequencedMap<String, Tensor> tensors) throws IOException {
    List<TensorSource> sources = Tensors.sources(tensors);
    NpzWriter.checkNames(sources);
    AtomicFile.write(path, channel -> NpzWriter.writeNpz(sources, channel));
  }

  /** Empty: the format has no notes. */
  @Override
  public Map<String, String> metadata() {
    return Map.of();
  }

  @Override
  public void close() {
    if (owned != null) {
      owned.close();
    }
  }

  @Override
  public String toString() {
    return file + " with " + entries.size() + " tensors";
  }

  private ZipDirectory.Entry entry(String name) {
    ZipDirectory.@Nullable Entry entry = entries.get(name);
    if (entry == null) {
      throw new NoSuchElementException("no tensor \"" + MalformedFileException.printable(name) + "\" in " + this);
    }
    return entry;
  }
}
