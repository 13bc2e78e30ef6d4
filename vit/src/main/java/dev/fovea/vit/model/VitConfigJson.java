package dev.fovea.vit.model;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.exc.UnrecognizedPropertyException;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;

/** {@link VitConfig} as JSON: an object with the record's components as fields. */
final class VitConfigJson {
  /** Values are of their type or refused, not made into it. */
  private static final ObjectMapper JSON = JsonMapper.builder()
      .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
      .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
      .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
      .build();

  private VitConfigJson() {}

  static String write(VitConfig config) {
    try {
      return JSON.writerWithDefaultPrettyPrinter().writeValueAsString(config);
    } catch (JsonProcessingException e) {
      throw new AssertionError("a record of plain values", e);
    }
  }

  static VitConfig read(String json) {
    try {
      JsonNode given = JSON.readTree(json);
      if (!(given instanceof ObjectNode fields)) {
        throw new IllegalArgumentException("configuration: got no JSON object, expected one");
      }
      ObjectNode all = JSON.valueToTree(VitConfig.builder().build());
      all.setAll(fields);
      return JSON.treeToValue(all, VitConfig.class);
    } catch (UnrecognizedPropertyException e) {
      throw new IllegalArgumentException(
          "configuration: got a field %s, expected one of %s".formatted(e.getPropertyName(), e.getKnownPropertyIds()),
          e);
    } catch (JsonProcessingException e) {
      Throwable cause = e.getCause();
      String reason =
          cause instanceof IllegalArgumentException ? cause.getMessage() : field(e) + e.getOriginalMessage();
      throw new IllegalArgumentException("configuration: " + reason, e);
    }
  }

  /** The field that a fault is in. */
  private static String field(JsonProcessingException e) {
    return e instanceof JsonMappingException mapping && !mapping.getPath().isEmpty()
        ? mapping.getPath().getLast().getFieldName() + ": "
        : "";
  }
}
