package dev.fovea.tensor.io;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.SequencedMap;
import org.jspecify.annotations.Nullable;

/**
 * The checked header of a safetensors file: eight bytes of length {@code n}, {@code n} bytes of JSON, data.
 *
 * @param tensors by name, in the order of their data
 * @param metadata the strings of {@code __metadata__}
 */
record SafetensorsHeader(SequencedMap<String, Entry> tensors, Map<String, String> metadata) {
  /** The longest header, as in the reference implementation. */
  static final long MAX_BYTES = 100_000_000;

  static final String METADATA = "__metadata__";

  private static final ValueLayout.OfLong LENGTH = ValueLayout.JAVA_LONG_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** A tensor whose bytes are those from {@code begin} to before {@code end} of the file. */
  record Entry(TensorInfo info, long begin, long end) {}

  /** Reads and checks the header of a whole file in memory; nothing of the data is read. */
  static SafetensorsHeader read(String file, MemorySegment content) throws MalformedFileException {
    long size = content.byteSize();
    if (size < Long.BYTES) {
      throw new MalformedFileException(file, null, "file length", size, "at least the 8 bytes of the header length");
    }
    long length = content.get(LENGTH, 0);
    if (length < 0 || length > MAX_BYTES || length > size - Long.BYTES) {
      throw new MalformedFileException(
          file,
          null,
          "header length",
          Long.toUnsignedString(length),
          "at most " + Math.min(MAX_BYTES, size - Long.BYTES) + " (the file has " + size + " bytes)");
    }
    MemorySegment text = content.asSlice(Long.BYTES, length);
    if (length == 0 || text.get(ValueLayout.JAVA_BYTE, 0) != '{') {
      throw new MalformedFileException(
          file,
          null,
          "start of the header",
          length == 0 ? "nothing" : "byte " + (text.get(ValueLayout.JAVA_BYTE, 0) & 0xff),
          "'{'");
    }
    return parse(file, text, size);
  }

  private static SafetensorsHeader parse(String file, MemorySegment text, long size) throws MalformedFileException {
    long data = Long.BYTES + text.byteSize();
    Map<String, String> metadata = Map.of();
    List<Entry> entries = new ArrayList<>();
    try (Json json = new Json(file, text)) {
      json.enter(null, "header");
      for (String name = json.member(); name != null; name = json.member()) {
        if (name.equals(METADATA)) {
          metadata = json.strings(METADATA);
        } else {
          entries.add(entry(file, json, name, data, size));
        }
      }
      json.end();
    }
    entries.sort(Comparator.comparingLong(Entry::begin).thenComparingLong(Entry::end));
    long end = data;
    SequencedMap<String, Entry> tensors = new LinkedHashMap<>();
    for (Entry entry : entries) {
      if (entry.begin() != end) {
        throw new MalformedFileException(
            file,
            entry.info().name(),
            "start of its data",
            entry.begin() - data,
            (end - data) + " (where the data before it ends: no hole, no overlap)");
      }
      end = entry.end();
      tensors.put(entry.info().name(), entry);
    }
    if (end != size) {
      throw new MalformedFileException(file, null, "file length", size, end + " (where the last tensor ends)");
    }
    return new SafetensorsHeader(Collections.unmodifiableSequencedMap(tensors), Collections.unmodifiableMap(metadata));
  }

  private static Entry entry(String file, Json json, String name, long data, long size) throws MalformedFileException {
    @Nullable StoredType type = null;
    @Nullable List<Long> shape = null;
    @Nullable List<Long> offsets = null;
    json.enter(name, "description");
    for (String member = json.member(); member != null; member = json.member()) {
      switch (member) {
        case "dtype" -> {
          String dtype = json.string(name, "dtype");
          type = StoredType.named(dtype);
          if (type == null) {
            throw new MalformedFileException(file, name, "dtype", dtype, "one of " + List.of(StoredType.values()));
          }
        }
        case "shape" -> shape = json.sizes(name, "shape", TensorInfo.MAX_RANK);
        case "data_offsets" -> offsets = json.sizes(name, "data_offsets", 2);
        default -> json.skip();
      }
    }
    if (type == null || shape == null || offsets == null) {
      throw new MalformedFileException(
          file,
          name,
          "description",
          "no " + (type == null ? "dtype" : shape == null ? "shape" : "data_offsets"),
          "dtype, shape and data_offsets");
    }
    TensorInfo info = TensorInfo.checked(file, name, type, shape);
    if (offsets.size() != 2 || offsets.get(0) > offsets.get(1) || offsets.get(1) > size - data) {
      throw new MalformedFileException(
          file,
          name,
          "data_offsets",
          offsets,
          "[begin, end] in ascending order within the " + (size - data) + " bytes of data");
    }
    long bytes = offsets.get(1) - offsets.get(0);
    if (bytes != info.storedBytes()) {
      throw new MalformedFileException(file, name, "bytes of " + type + shape, bytes, info.storedBytes() + "");
    }
    return new Entry(info, data + offsets.get(0), data + offsets.get(1));
  }
}
