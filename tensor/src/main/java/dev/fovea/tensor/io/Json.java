package dev.fovea.tensor.io;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import java.io.IOException;
import java.io.InputStreamReader;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A strict JSON reader for headers and indexes: UTF-8 only, no duplicate names, nesting of at most 16, names of at most
 * 50,000 characters, and every fault a {@link MalformedFileException}.
 */
final class Json implements AutoCloseable {
  static final JsonFactory FACTORY = JsonFactory.builder()
      .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
      .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
      .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
      .streamReadConstraints(StreamReadConstraints.builder()
          .maxNestingDepth(16)
          .maxStringLength(Integer.MAX_VALUE)
          .maxNameLength(50_000)
          .maxNumberLength(100)
          .build())
      .build();

  private final String file;
  private final JsonParser parser;

  /** Reads {@code text}, at most 2 GiB of it, as one JSON value. */
  Json(String file, MemorySegment text) throws MalformedFileException {
    this.file = file;
    try {
      parser = FACTORY.createParser(
          new InputStreamReader(new SegmentInputStream(text), StandardCharsets.UTF_8.newDecoder()));
    } catch (IOException e) {
      throw new MalformedFileException(file, null, "JSON", e.getMessage(), "readable text");
    }
  }

  /** Enters an object. */
  void enter(@Nullable String tensor, String what) throws MalformedFileException {
    require(next(), JsonToken.START_OBJECT, tensor, what, "an object");
  }

  /** The next member's name, or null at the end of the object. */
  @Nullable
  String member() throws MalformedFileException {
    return next() == JsonToken.FIELD_NAME ? text() : null;
  }

  /** The next value, which must be a string. */
  String string(@Nullable String tensor, String what) throws MalformedFileException {
    require(next(), JsonToken.VALUE_STRING, tensor, what, "a string");
    return text();
  }

  /** The next value, which must be an array of at most {@code limit} integers from 0 up to 2^63 - 1. */
  List<Long> sizes(@Nullable String tensor, String what, int limit) throws MalformedFileException {
    String expected = "an array of at most " + limit + " integers from 0 to 2^63 - 1";
    require(next(), JsonToken.START_ARRAY, tensor, what, expected);
    List<Long> values = new ArrayList<>();
    for (JsonToken token = next(); token != JsonToken.END_ARRAY; token = next()) {
      require(token, JsonToken.VALUE_NUMBER_INT, tensor, what, expected);
      long value = -1;
      try {
        value = parser.getLongValue();
      } catch (IOException e) {
        // Larger than a long: reported below with the number's own text.
      }
      if (value < 0 || values.size() == limit) {
        throw new MalformedFileException(file, tensor, what, values + " then " + text(), expected);
      }
      values.add(value);
    }
    return values;
  }

  /** The next value, which must be an object of strings. */
  Map<String, String> strings(String what) throws MalformedFileException {
    enter(null, what);
    Map<String, String> values = new LinkedHashMap<>();
    for (String name = member(); name != null; name = member()) {
      values.put(name, string(null, what + " value of \"" + MalformedFileException.printable(name) + "\""));
    }
    return values;
  }

  /** Passes over the next value, whatever it is. */
  void skip() throws MalformedFileException {
    next();
    try {
      parser.skipChildren();
    } catch (IOException e) {
      throw fault(e);
    }
  }

  /** Checks that nothing but white space follows. */
  void end() throws MalformedFileException {
    JsonToken token;
    try {
      token = parser.nextToken();
    } catch (IOException e) {
      throw fault(e);
    }
    if (token != null) {
      throw new MalformedFileException(file, null, "JSON", token + " after the closing brace", "only white space");
    }
  }

  private JsonToken next() throws MalformedFileException {
    JsonToken token;
    try {
      token = parser.nextToken();
    } catch (IOException e) {
      throw fault(e);
    }
    if (token == null) {
      throw new MalformedFileException(file, null, "JSON", "its end", "more text");
    }
    return token;
  }

  private String text() throws MalformedFileException {
    String text;
    try {
      text = parser.getText();
    } catch (IOException e) {
      throw fault(e);
    }
    if (hasLoneSurrogate(text)) {
      throw new MalformedFileException(file, null, "JSON", text, "valid Unicode");
    }
    return text;
  }

  static boolean hasLoneSurrogate(String text) {
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (Character.isHighSurrogate(c) && i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1))) {
        i++;
      } else if (Character.isSurrogate(c)) {
        return true;
      }
    }
    return false;
  }

  private void require(JsonToken token, JsonToken wanted, @Nullable String tensor, String what, String expected)
      throws MalformedFileException {
    if (token != wanted) {
      throw new MalformedFileException(file, tensor, what, token, expected);
    }
  }

  private MalformedFileException fault(IOException e) {
    String problem = e instanceof JsonProcessingException json ? json.getOriginalMessage() : e.toString();
    return new MalformedFileException(
        file,
        null,
        "JSON near character " + parser.currentLocation().getCharOffset(),
        problem,
        "valid JSON in UTF-8 without duplicate names");
  }

  @Override
  public void close() {
    try {
      parser.close();
    } catch (IOException e) {
      throw new AssertionError("closing a parser of memory", e);
    }
  }
}
