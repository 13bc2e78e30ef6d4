package dev.fovea.vit;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** Names of a model's classes. A class without one is called by its number: {@code class 7}. */
public final class Labels {
  /** No names at all. */
  public static final Labels NONE = new Labels(Map.of());

  private static final ObjectMapper JSON = new ObjectMapper();

  private final Map<Integer, String> names;

  private Labels(Map<Integer, String> names) {
    this.names = Map.copyOf(names);
  }

  /** The classes' names in their order. */
  public static Labels of(List<String> names) {
    Map<Integer, String> numbered = new HashMap<>();
    for (String name : names) {
      numbered.put(numbered.size(), name);
    }
    return new Labels(numbered);
  }

  /** Reads a text file in UTF-8 with one name on each line, class 0 first. Empty lines at the end do not count. */
  public static Labels read(Path file) throws IOException {
    if (Files.isDirectory(file)) {
      throw new IllegalArgumentException(file + ": is a folder, expected a file with a name on each line");
    }
    try {
      return of(
          Files.readString(file).stripTrailing().lines().map(String::strip).toList());
    } catch (MalformedInputException e) {
      throw new IllegalArgumentException(file + ": got bytes that are no UTF-8, expected a name on each line", e);
    }
  }

  /**
   * The names in a model folder's {@code config.json}: {@code label_names} (timm; replaced by what
   * {@code label_descriptions} has for them) or {@code id2label} (transformers).
   *
   * @param model the folder, or a file in it
   */
  public static Labels ofModel(Path model) throws IOException {
    Path at = model.toAbsolutePath();
    Path file = (Files.isDirectory(at) ? at : at.resolveSibling("")).resolve("config.json");
    if (!Files.exists(file)) {
      return NONE;
    }
    JsonNode config;
    try {
      config = JSON.readTree(file.toFile());
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(file + ": " + e.getOriginalMessage(), e);
    }
    for (JsonNode place : new JsonNode[] {config, config.path("pretrained_cfg")}) {
      JsonNode names = place.path("label_names");
      if (names.size() > 0) {
        return described(names, place.path("label_descriptions"));
      }
    }
    return numbered(config.path("id2label"));
  }

  private static Labels described(JsonNode names, JsonNode descriptions) {
    if (!names.isArray()) {
      return numbered(names);
    }
    List<String> found = new ArrayList<>();
    names.forEach(name -> found.add(descriptions.path(name.asText()).asText(name.asText())));
    return of(found);
  }

  private static Labels numbered(JsonNode byNumber) {
    Map<Integer, String> names = new HashMap<>();
    byNumber.properties().forEach(entry -> {
      if (entry.getKey().matches("\\d{1,9}")) {
        names.put(Integer.valueOf(entry.getKey()), entry.getValue().asText());
      }
    });
    return new Labels(names);
  }

  /** How many classes have names. */
  public int size() {
    return names.size();
  }

  /** The name of a class. */
  public String name(int index) {
    return names.getOrDefault(index, "class " + index);
  }
}
