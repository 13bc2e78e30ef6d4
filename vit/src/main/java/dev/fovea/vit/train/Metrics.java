package dev.fovea.vit.train;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.Writer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/** {@code metrics.jsonl}: one JSON object a line for each step, with an evaluation's results where there was one. */
final class Metrics implements AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Writer out;

  private Metrics(Writer out) {
    this.out = out;
  }

  /**
   * Opens the file to go on after {@code step}: later lines, which a run left that did not live to its next checkpoint,
   * are dropped.
   */
  static Metrics open(Path file, long step) throws IOException {
    List<String> kept = new ArrayList<>();
    for (JsonNode line : read(file)) {
      if (line.path("step").asLong() <= step) {
        kept.add(JSON.writeValueAsString(line));
      }
    }
    Path aside = file.resolveSibling(file.getFileName() + ".part");
    try {
      Files.write(aside, kept, StandardCharsets.UTF_8);
      Files.move(aside, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      Files.deleteIfExists(aside);
      throw e;
    }
    return new Metrics(Files.newBufferedWriter(file, StandardOpenOption.APPEND));
  }

  /** All whole lines of the file; none if there is no file. */
  static List<JsonNode> read(Path file) throws IOException {
    List<JsonNode> lines = new ArrayList<>();
    if (!Files.exists(file)) {
      return lines;
    }
    for (String line : Files.readAllLines(file)) {
      try {
        lines.add(JSON.readTree(line));
      } catch (IOException e) {
        return lines; // Torn by a kill: nothing after it counts.
      }
    }
    return lines;
  }

  static ObjectNode line() {
    return JSON.createObjectNode();
  }

  void write(ObjectNode line) throws IOException {
    out.write(JSON.writeValueAsString(line));
    out.write('\n');
    out.flush();
  }

  @Override
  public void close() throws IOException {
    out.close();
  }
}
