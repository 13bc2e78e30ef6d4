package dev.fovea.vit.train;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException.Reference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.exc.InvalidFormatException;
import com.fasterxml.jackson.databind.module.SimpleModule;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.ser.std.StdSerializer;
import com.fasterxml.jackson.dataformat.yaml.YAMLFactory;
import com.fasterxml.jackson.dataformat.yaml.YAMLGenerator;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Map;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Configurations of runs as YAML or JSON files; whatever a file leaves out is as in the default. */
public final class ConfigFile {
  private static final ObjectMapper YAML = YAMLMapper.builder(YAMLFactory.builder()
          .disable(YAMLGenerator.Feature.WRITE_DOC_START_MARKER)
          .enable(YAMLGenerator.Feature.MINIMIZE_QUOTES)
          .build())
      .enable(MapperFeature.ACCEPT_CASE_INSENSITIVE_ENUMS)
      .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
      .addModule(new SimpleModule().addSerializer(new LowerCase()))
      .build();

  private ConfigFile() {}

  /** Enum constants as people write them. */
  private static final class LowerCase extends StdSerializer<Enum<?>> {
    private static final long serialVersionUID = 1;

    LowerCase() {
      super(Enum.class, false);
    }

    @Override
    public void serialize(Enum<?> value, JsonGenerator json, SerializerProvider provider) throws IOException {
      json.writeString(value.name().toLowerCase(Locale.ROOT));
    }
  }

  /**
   * The default, or that for a preset if one is named, with a file's settings and then these over it.
   *
   * @param file YAML, or JSON, which is YAML too; null for none
   * @param settings by section and name, as in {@code model.width}
   * @throws IllegalArgumentException if one is unknown or has a value that does not fit
   */
  public static TrainConfig read(@Nullable Path file, Map<String, ?> settings) throws IOException {
    if (file != null && Files.isDirectory(file)) {
      throw new IllegalArgumentException(file + ": is a folder, expected a file of settings");
    }
    ObjectNode all = over(TrainConfig.defaults(), file, settings);
    String preset = all.path("model").path("preset").asText();
    if (!preset.isEmpty()) {
      all = over(TrainConfig.defaults(preset), file, settings);
    }
    String where = file == null ? "" : file + ": ";
    try {
      return YAML.treeToValue(all, TrainConfig.class);
    } catch (InvalidFormatException e) {
      String name = e.getPath().stream().map(Reference::getFieldName).collect(Collectors.joining("."));
      throw new IllegalArgumentException(
          "%s%s: got %s, expected %s".formatted(where, name, e.getValue(), expected(e.getTargetType())), e);
    } catch (JsonProcessingException e) {
      Throwable cause = e.getCause();
      String reason = cause instanceof IllegalArgumentException ? cause.getMessage() : e.getOriginalMessage();
      throw new IllegalArgumentException(where + reason, e);
    }
  }

  private static ObjectNode over(TrainConfig base, @Nullable Path file, Map<String, ?> settings) throws IOException {
    ObjectNode all = YAML.valueToTree(base);
    if (file != null) {
      merge(all, file);
    }
    settings.forEach((name, value) -> {
      int dot = name.indexOf('.');
      String setting = name.substring(dot + 1);
      if (!(all.get(name.substring(0, Math.max(0, dot))) instanceof ObjectNode section)) {
        throw unknown("", name, all);
      }
      if (!section.has(setting)) {
        throw unknown("", name, section);
      }
      section.set(setting, YAML.valueToTree(value));
    });
    return all;
  }

  private static String expected(Class<?> type) {
    if (type.isEnum()) {
      StringBuilder names = new StringBuilder("one of");
      for (Object constant : type.getEnumConstants()) {
        names.append(' ').append(constant.toString().toLowerCase(Locale.ROOT));
      }
      return names.toString();
    }
    return type == boolean.class ? "true or false" : "a number";
  }

  private static void merge(ObjectNode all, Path file) throws IOException {
    JsonNode given;
    try {
      given = YAML.readTree(Files.readString(file));
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException("%s: is neither YAML nor JSON: %s".formatted(file, e.getOriginalMessage()), e);
    }
    if (given.isMissingNode() || given.isNull()) {
      return;
    }
    for (Map.Entry<String, JsonNode> section : given.properties()) {
      if (!(all.get(section.getKey()) instanceof ObjectNode known)
          || !section.getValue().isObject()) {
        throw unknown(file + ": ", section.getKey(), all);
      }
      section.getValue().properties().forEach(setting -> {
        if (!known.has(setting.getKey())) {
          throw unknown(file + ": ", section.getKey() + "." + setting.getKey(), known);
        }
        known.set(setting.getKey(), setting.getValue());
      });
    }
  }

  private static IllegalArgumentException unknown(String where, String name, ObjectNode known) {
    TreeSet<String> names = new TreeSet<>();
    known.fieldNames().forEachRemaining(names::add);
    return new IllegalArgumentException("%sgot a setting %s, expected one of %s".formatted(where, name, names));
  }

  /** The whole configuration as YAML. */
  public static String write(TrainConfig config) {
    try {
      return YAML.writeValueAsString(config);
    } catch (JsonProcessingException e) {
      throw new AssertionError("a record of plain values", e);
    }
  }
}
