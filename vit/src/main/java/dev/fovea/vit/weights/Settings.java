package dev.fovea.vit.weights;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.Map;
import java.util.TreeSet;

/**
 * A model folder's {@code config.json}, whose author is not trusted: each value is checked to be of its type and within
 * its range when it is read. {@code null} counts as absent.
 */
final class Settings {
  private static final long MAX_BYTES = 32 << 20;
  private static final JsonMapper JSON = JsonMapper.builder()
      .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
      .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
      .build();

  private final String where;
  private final JsonNode node;

  private Settings(String where, JsonNode node) {
    this.where = where;
    this.node = node;
  }

  /**
   * Reads a file.
   *
   * @throws IllegalArgumentException if it is not one JSON object, or is larger than any configuration
   */
  static Settings read(Path file) throws IOException {
    long bytes = Files.size(file);
    if (bytes > MAX_BYTES) {
      throw new IllegalArgumentException("%s: got %d bytes, expected at most %d".formatted(file, bytes, MAX_BYTES));
    }
    try {
      JsonNode node = JSON.readTree(Files.readAllBytes(file));
      if (!node.isObject()) {
        throw new IllegalArgumentException(file + ": got no JSON object, expected one");
      }
      return new Settings(file.toString(), node);
    } catch (JsonProcessingException e) {
      // Where an object began is said with an apology for not showing it.
      String said = e.getOriginalMessage().replaceAll("\\s*\\(start marker at.*", "");
      throw new IllegalArgumentException(
          "%s: not valid JSON in line %d: %s".formatted(file, e.getLocation().getLineNr(), said), e);
    }
  }

  /** The settings of a model that came without any. */
  static Settings none() {
    return new Settings("config.json", MissingNode.getInstance());
  }

  /** Arguments that we made ourselves. */
  static Settings of(JsonNode arguments) {
    return new Settings("arguments", arguments);
  }

  /** What was read. */
  JsonNode json() {
    return node;
  }

  /** Whether there is nothing at all. */
  boolean isEmpty() {
    return node.isMissingNode();
  }

  boolean has(String name) {
    return node.hasNonNull(name);
  }

  /** Names of all values. */
  Collection<String> names() {
    TreeSet<String> names = new TreeSet<>();
    node.fieldNames().forEachRemaining(names::add);
    return names;
  }

  /** An object inside, empty if it is absent. */
  Settings section(String name) {
    JsonNode inner = node.path(name);
    if (!inner.isObject() && has(name)) {
      throw bad(name, inner, "an object");
    }
    return new Settings(where + ": " + name, inner.isObject() ? inner : MissingNode.getInstance());
  }

  int integer(String name, int otherwise, int least, int most) {
    return has(name) ? whole(name, node.get(name), least, most) : otherwise;
  }

  private int whole(String name, JsonNode value, int least, int most) {
    boolean integral = value.isIntegralNumber() || value.isFloatingPointNumber() && value.doubleValue() % 1 == 0;
    if (!integral || value.doubleValue() < least || value.doubleValue() > most) {
      throw bad(name, value, "a whole number from %d to %d".formatted(least, most));
    }
    return value.intValue();
  }

  double number(String name, double otherwise, double least, double most) {
    if (!has(name)) {
      return otherwise;
    }
    JsonNode value = node.get(name);
    if (!value.isNumber() || !(value.doubleValue() >= least && value.doubleValue() <= most)) {
      throw bad(name, value, "a number from %s to %s".formatted(least, most));
    }
    return value.doubleValue();
  }

  boolean flag(String name, boolean otherwise) {
    if (!has(name)) {
      return otherwise;
    }
    JsonNode value = node.get(name);
    if (!value.isBoolean()) {
      throw bad(name, value, "true or false");
    }
    return value.booleanValue();
  }

  String text(String name, String otherwise) {
    if (!has(name)) {
      return otherwise;
    }
    JsonNode value = node.get(name);
    if (!value.isTextual()) {
      throw bad(name, value, "a string");
    }
    return value.textValue();
  }

  /** One of several words, as what it means. */
  <T> T choice(String name, T otherwise, Map<String, T> values) {
    if (!has(name)) {
      return otherwise;
    }
    T found = values.get(text(name, ""));
    if (found == null) {
      throw bad(name, node.get(name), "one of " + new TreeSet<>(values.keySet()));
    }
    return found;
  }

  /** A size as a number or as [height, width]. */
  Size size(String name, Size otherwise, int most) {
    if (!has(name)) {
      return otherwise;
    }
    JsonNode value = node.get(name);
    if (!value.isArray()) {
      int side = whole(name, value, 1, most);
      return new Size(side, side);
    }
    if (value.size() != 2) {
      throw bad(name, value, "a number or [height, width]");
    }
    return new Size(whole(name, value.get(0), 1, most), whole(name, value.get(1), 1, most));
  }

  /** Height and width. */
  record Size(int height, int width) {}

  IllegalArgumentException bad(String name, Object got, String expected) {
    String shown = String.valueOf(got);
    return new IllegalArgumentException("%s: %s: got %s, expected %s"
        .formatted(where, name, shown.length() > 200 ? shown.substring(0, 200) + "..." : shown, expected));
  }

  /** A complaint about the settings as a whole. */
  IllegalArgumentException bad(String message) {
    return new IllegalArgumentException(where + ": " + message);
  }

  @Override
  public String toString() {
    return where;
  }
}
