package dev.fovea.bench.kernel;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.List;
import java.util.Objects;

/**
 * The list of shapes that are timed: names of sizes for each family of kernels, and what the names stand for. The
 * benchmarks of the CPU, those of GPUs and the scripts in {@code bench/peers} read the same file.
 */
public final class Shapes {
  /** The file, beside the classes of this module. */
  public static final String FILE = "/dev/fovea/bench/shapes.json";

  private static final JsonNode LIST = read();

  private Shapes() {}

  /**
   * The sizes of a model that kernels meet.
   *
   * @param width of a token
   * @param mlp width inside the MLP
   * @param heads of attention
   * @param depth blocks
   */
  record Model(int width, int mlp, int heads, int depth) {}

  /** The names of a family's sizes, such as those of {@code "gemm"}. */
  public static List<String> of(String family) {
    return LIST.path(family).valueStream().map(JsonNode::textValue).toList();
  }

  /**
   * The model of a name with or without a patch size, as {@code "B/16"}.
   *
   * @throws IllegalArgumentException if there is none
   */
  static Model model(String name) {
    JsonNode model = known("models", name.replaceFirst("/.*", ""));
    return new Model(
        model.path("width").intValue(),
        model.path("mlp").intValue(),
        model.path("heads").intValue(),
        model.path("depth").intValue());
  }

  /** The classes of a data set. */
  static int classes(String data) {
    return known("classes", data).intValue();
  }

  private static JsonNode known(String what, String name) {
    JsonNode all = LIST.path(what);
    if (!all.has(name)) {
      List<String> names = all.propertyStream().map(one -> one.getKey()).toList();
      throw new IllegalArgumentException("%s: got %s, expected one of %s".formatted(what, name, names));
    }
    return all.path(name);
  }

  private static JsonNode read() {
    try (InputStream in = Objects.requireNonNull(Shapes.class.getResourceAsStream(FILE), FILE)) {
      return new ObjectMapper().readTree(in);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
