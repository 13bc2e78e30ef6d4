package dev.fovea.tensor.io;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.Tensor;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.NoSuchElementException;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/**
 * Several safetensors files seen as one, by an index such as {@code model.safetensors.index.json}: a JSON object whose
 * {@code weight_map} gives for every tensor the file in the index's own folder that holds it. Tensors of those files
 * that the index does not name are not seen.
 *
 * <p><b>Limits.</b> An index of at most 100,000,000 bytes; names of files are plain, without folders; each file is
 * opened once and checked as {@link Safetensors} says.
 */
public final class ShardedSafetensors implements TensorFile {
  private final String file;
  private final Arena arena;
  private final List<Safetensors> shards = new ArrayList<>();
  private final SequencedMap<String, Safetensors> owners = new LinkedHashMap<>();

  private ShardedSafetensors(String file, Arena arena) {
    this.file = file;
    this.arena = arena;
  }

  /**
   * Reads an index and opens the files it names.
   *
   * @throws MalformedFileException if the index or one of the files breaks the rules, or a tensor is not in its file
   */
  public static ShardedSafetensors open(Path index) throws IOException {
    Arena arena = Arena.ofShared();
    try {
      ShardedSafetensors opened = new ShardedSafetensors(index.toString(), arena);
      opened.openShards(index, weightMap(opened.file, Mapping.map(index, arena)));
      return opened;
    } catch (Throwable e) {
      arena.close();
      throw e;
    }
  }

  private void openShards(Path index, Map<String, String> weights) throws IOException {
    for (String name : new LinkedHashSet<>(weights.values())) {
      Safetensors shard = Safetensors.open(index.resolveSibling(name), arena);
      shards.add(shard);
      for (String tensor : shard.names()) {
        if (name.equals(weights.get(tensor))) {
          owners.put(tensor, shard);
        }
      }
    }
    for (Map.Entry<String, String> weight : weights.entrySet()) {
      if (!owners.containsKey(weight.getKey())) {
        throw new MalformedFileException(
            file, weight.getKey(), "weight_map", weight.getValue(), "a file that holds this tensor");
      }
    }
  }

  /** The index in {@code content}: the file of every tensor, checked to be a plain name. */
  static Map<String, String> weightMap(String file, MemorySegment content) throws MalformedFileException {
    if (content.byteSize() > SafetensorsHeader.MAX_BYTES) {
      throw new MalformedFileException(
          file, null, "index length", content.byteSize(), "at most " + SafetensorsHeader.MAX_BYTES);
    }
    @Nullable Map<String, String> weights = null;
    try (Json json = new Json(file, content)) {
      json.enter(null, "index");
      for (String member = json.member(); member != null; member = json.member()) {
        if (member.equals("weight_map")) {
          weights = json.strings("weight_map");
        } else {
          json.skip();
        }
      }
      json.end();
    }
    if (weights == null) {
      throw new MalformedFileException(file, null, "index", "no weight_map", "a weight_map");
    }
    for (Map.Entry<String, String> weight : weights.entrySet()) {
      if (!isPlain(weight.getValue())) {
        throw new MalformedFileException(
            file, weight.getKey(), "file", weight.getValue(), "the plain name of a file in the same folder");
      }
    }
    return weights;
  }

  private static boolean isPlain(String name) {
    return !name.isBlank()
        && !name.equals(".")
        && !name.equals("..")
        && name.length() <= 255
        && name.chars().noneMatch(c -> c == '/' || c == '\\' || c == ':' || c < ' ');
  }

  @Override
  public List<String> names() {
    return List.copyOf(owners.keySet());
  }

  @Override
  public TensorInfo info(String name) {
    return owner(name).info(name);
  }

  /** A tensor's bytes in its mapped file: read-only, valid until this is closed, perhaps unaligned. */
  public MemorySegment segment(String name) {
    return owner(name).segment(name);
  }

  @Override
  public void copyTo(String name, DType dtype, MemorySegment target) {
    owner(name).copyTo(name, dtype, target);
  }

  @Override
  public Tensor load(String name) {
    return owner(name).load(name);
  }

  @Override
  public Tensor load(String name, DType dtype) {
    return owner(name).load(name, dtype);
  }

  /** A read-only tensor on the mapped file itself, as {@link Safetensors#wrap}. */
  public Tensor wrap(String name) {
    return owner(name).wrap(name);
  }

  /** The notes of all files together; where two say different things, the first file's. */
  @Override
  public Map<String, String> metadata() {
    Map<String, String> all = new LinkedHashMap<>();
    shards.forEach(shard -> shard.metadata().forEach(all::putIfAbsent));
    return Collections.unmodifiableMap(all);
  }

  @Override
  public void close() {
    arena.close();
  }

  @Override
  public String toString() {
    return file + " with " + owners.size() + " tensors in " + shards.size() + " files";
  }

  private Safetensors owner(String name) {
    @Nullable Safetensors owner = owners.get(name);
    if (owner == null) {
      throw new NoSuchElementException("no tensor \"" + MalformedFileException.printable(name) + "\" in " + this);
    }
    return owner;
  }
}
