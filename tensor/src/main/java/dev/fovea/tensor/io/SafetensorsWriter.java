package dev.fovea.tensor.io;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import java.util.Collection;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Writes a safetensors file as the reference implementation does: tensors sorted by type, widest first, then by name,
 * so that each lies at a multiple of its element's size; the header padded to a multiple of 8 with spaces. Equal
 * tensors and notes give equal bytes.
 */
final class SafetensorsWriter {
  private final List<TensorSource> tensors;
  private final byte[] header;

  /**
   * Lays the file out.
   *
   * @throws IllegalArgumentException if a name or note cannot be written, or the header would be too long
   */
  SafetensorsWriter(Collection<TensorSource> sources, Map<String, String> metadata) {
    Comparator<TensorSource> byType =
        Comparator.comparing(source -> source.info().type(), Comparator.reverseOrder());
    tensors = sources.stream()
        .sorted(byType.thenComparing(source -> source.info().name()))
        .toList();
    header = header(metadata);
  }

  private byte[] header(Map<String, String> metadata) {
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    try (JsonGenerator json = Json.FACTORY.createGenerator(text)) {
      json.writeStartObject();
      if (!metadata.isEmpty()) {
        json.writeObjectFieldStart(SafetensorsHeader.METADATA);
        for (Map.Entry<String, String> note : new TreeMap<>(metadata).entrySet()) {
          json.writeStringField(requireUnicode(note.getKey()), requireUnicode(note.getValue()));
        }
        json.writeEndObject();
      }
      long offset = 0;
      for (TensorSource tensor : tensors) {
        offset = describe(json, tensor.info(), offset);
      }
      json.writeEndObject();
    } catch (IOException e) {
      throw new AssertionError("writing to memory", e);
    }
    while (text.size() % 8 != 0) {
      text.write(' ');
    }
    if (text.size() > SafetensorsHeader.MAX_BYTES) {
      throw new IllegalArgumentException("names, shapes and notes: got a header of " + text.size()
          + " bytes, expected at most " + SafetensorsHeader.MAX_BYTES);
    }
    return text.toByteArray();
  }

  private static String requireUnicode(String text) {
    if (Json.hasLoneSurrogate(text)) {
      throw new IllegalArgumentException(
          "name or note: got " + MalformedFileException.printable(text) + ", expected valid Unicode");
    }
    return text;
  }

  private static long describe(JsonGenerator json, TensorInfo info, long offset) throws IOException {
    if (info.name().equals(SafetensorsHeader.METADATA)) {
      throw new IllegalArgumentException("name of a tensor: got __metadata__, expected any other");
    }
    long end = Math.addExact(offset, info.storedBytes());
    json.writeObjectFieldStart(requireUnicode(info.name()));
    json.writeStringField("dtype", info.type().name());
    json.writeFieldName("shape");
    long[] dims = info.shape().dims();
    json.writeArray(dims, 0, dims.length);
    json.writeFieldName("data_offsets");
    json.writeArray(new long[] {offset, end}, 0, 2);
    json.writeEndObject();
    return end;
  }

  void writeTo(WritableByteChannel channel) throws IOException {
    ByteBuffer length =
        ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(0, header.length);
    AtomicFile.writeFully(channel, length);
    AtomicFile.writeFully(channel, ByteBuffer.wrap(header));
    for (TensorSource tensor : tensors) {
      TensorSource.write(tensor.bytes(), channel);
    }
  }
}
