package dev.fovea.vit.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.fovea.kernels.DType;
import dev.fovea.tensor.Device;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Shape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.io.AtomicFile;
import dev.fovea.tensor.io.Npy;
import dev.fovea.tensor.io.Safetensors;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.Writer;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** Named rows of numbers on their way into a file, which appears as a whole or not at all. */
final class EmbeddingFile {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final List<String> names = new ArrayList<>();
  private final List<float[]> rows = new ArrayList<>();

  /** Kinds of files. */
  enum Format {
    NPY,
    SAFETENSORS,
    JSONL;

    /** What the file's name ends in. */
    static Optional<Format> of(Path file) {
      String name = file.toString().toLowerCase(Locale.ROOT);
      for (Format format : values()) {
        if (name.endsWith("." + format.name().toLowerCase(Locale.ROOT))) {
          return Optional.of(format);
        }
      }
      return Optional.empty();
    }
  }

  void add(String name, float[] row) {
    names.add(name);
    rows.add(row);
  }

  int size() {
    return rows.size();
  }

  int width() {
    return rows.getFirst().length;
  }

  void write(Path file, Format format) throws IOException {
    switch (format) {
      case NPY -> {
        AtomicFile.write(file.resolveSibling(file.getFileName() + ".txt"), channel -> writeLines(channel, false));
        try (Scope scope = Scope.open(Device.cpu())) {
          Npy.write(file, tensor());
        }
      }
      case SAFETENSORS -> {
        try (Scope scope = Scope.open(Device.cpu())) {
          Safetensors.write(file, Map.of("embeddings", tensor()), Map.of("names", JSON.writeValueAsString(names)));
        }
      }
      case JSONL -> AtomicFile.write(file, channel -> writeLines(channel, true));
    }
  }

  private Tensor tensor() {
    Tensor tensor = Tensor.empty(Shape.of(size(), width()), DType.F32);
    for (int i = 0; i < size(); i++) {
      try (Tensor row = tensor.narrow(i, 1)) {
        row.copyFrom(rows.get(i));
      }
    }
    return tensor;
  }

  /** Names, or names with their numbers as JSON. */
  private void writeLines(WritableByteChannel channel, boolean json) throws IOException {
    Writer out = new BufferedWriter(Channels.newWriter(channel, StandardCharsets.UTF_8));
    for (int i = 0; i < size(); i++) {
      out.write(json ? line(names.get(i), rows.get(i)) : names.get(i));
      out.write('\n');
    }
    out.flush();
  }

  private static String line(String name, float[] row) throws IOException {
    ObjectNode node = JSON.createObjectNode().put("file", name);
    ArrayNode numbers = node.putArray("embedding");
    for (float value : row) {
      numbers.add(value);
    }
    return JSON.writeValueAsString(node);
  }
}
