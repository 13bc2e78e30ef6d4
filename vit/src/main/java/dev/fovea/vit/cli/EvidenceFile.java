package dev.fovea.vit.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.fovea.kernels.cuda.KernelBuild;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** What one real GPU has shown about the kernels, as {@code bench/gpu-bundle} wrote it. */
public final class EvidenceFile {
  private final JsonNode json;

  private EvidenceFile(JsonNode json) {
    this.json = json;
  }

  /** What is known about a kernel. */
  public enum State {
    /** Its cases were within their tolerances, with the sources of this build. */
    VERIFIED,
    /** A case was wrong. */
    FAILED,
    /** Its sources have changed since it ran. */
    STALE,
    /** It has not run there yet. */
    PENDING;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /**
   * What is known about the kernels of one family.
   *
   * @param family the family's name
   * @param kernels names by what is known about them
   * @param cases of the verified kernels, that were within their tolerances
   * @param ofTolerance their largest error, as a part of the tolerance
   */
  public record Standing(String family, Map<State, List<String>> kernels, int cases, double ofTolerance) {
    /** The kernels of this state. */
    public List<String> of(State state) {
      return kernels.getOrDefault(state, List.of());
    }

    /** All kernels of the family. */
    public int size() {
      return kernels.values().stream().mapToInt(List::size).sum();
    }
  }

  /** The files of a source tree, {@code bench/evidence/*.json}. */
  public static List<Path> known(Path home) throws IOException {
    Path folder = home.resolve("bench").resolve("evidence");
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> all = Files.list(folder)) {
      return all.filter(file -> file.toString().endsWith(".json")).sorted().toList();
    }
  }

  /**
   * Reads a file.
   *
   * @throws NoSuchFileException if there is none
   * @throws IllegalArgumentException if it is something else
   */
  public static EvidenceFile read(Path file) throws IOException {
    if (!Files.exists(file)) {
      throw new NoSuchFileException(file.toString(), null, "no such file");
    }
    JsonNode json = new ObjectMapper().readTree(file.toFile());
    if (!json.has("gpu") || !json.has("kernels")) {
      throw new IllegalArgumentException(file + ": got no evidence, expected a file that bench/gpu-bundle wrote");
    }
    return new EvidenceFile(json);
  }

  /** The whole file. */
  public JsonNode json() {
    return json;
  }

  /** The GPU's name. */
  public String gpu() {
    return text(json, "gpu");
  }

  /** The GPU, its driver, the date and Fovea's commit, in a line. */
  public String title() {
    return "%s, compute capability %s, driver for %s, %s, Fovea %s"
        .formatted(gpu(), text(json, "capability"), text(json, "driver"), text(json, "date"), text(json, "fovea"));
  }

  /** Whether it comes from the machine that tests run on, and shows nothing about GPUs. */
  public boolean isEmulated() {
    return json.path("emulated").booleanValue();
  }

  static String text(JsonNode node, String field) {
    return node.path(field).asText("unknown");
  }

  /** What is known about a build's kernels, family by family. */
  public List<Standing> standings(KernelBuild build) {
    return standings(build, json);
  }

  /** The same without any evidence: all are pending. */
  public static List<Standing> withoutEvidence(KernelBuild build) {
    return standings(build, null);
  }

  private static List<Standing> standings(KernelBuild build, @Nullable JsonNode evidence) {
    return build.families().stream().map(family -> standing(family, evidence)).toList();
  }

  private static Standing standing(KernelBuild.Family family, @Nullable JsonNode evidence) {
    Map<State, List<String>> kernels = new TreeMap<>();
    int cases = 0;
    double ofTolerance = 0;
    for (String name : family.kernels()) {
      JsonNode kernel = evidence == null ? null : find(evidence, family.name(), name);
      State state = state(family, kernel);
      kernels.computeIfAbsent(state, s -> new ArrayList<>()).add(name);
      if (kernel != null && state == State.VERIFIED) {
        cases += kernel.path("cases").intValue();
        ofTolerance = Math.max(ofTolerance, kernel.path("ofTolerance").doubleValue());
      }
    }
    return new Standing(family.name(), kernels, cases, ofTolerance);
  }

  private static @Nullable JsonNode find(JsonNode evidence, String family, String name) {
    for (JsonNode kernel : evidence.path("kernels")) {
      if (text(kernel, "family").equals(family) && text(kernel, "kernel").equals(name)) {
        return kernel;
      }
    }
    return null;
  }

  private static State state(KernelBuild.Family family, @Nullable JsonNode kernel) {
    if (kernel == null) {
      return State.PENDING;
    }
    if (!text(kernel, "sources").equals(family.sources())) {
      return State.STALE;
    }
    return kernel.path("failed").intValue() > 0 ? State.FAILED : State.VERIFIED;
  }

  /** The times as a Markdown table; slower peers have ratios above 1. */
  public List<String> times() {
    List<String> lines = new ArrayList<>();
    lines.add("| kernel | µs | rate | of limit | peers, time to ours |");
    lines.add("|---|---|---|---|---|");
    for (JsonNode time : json.path("times")) {
      double micros = time.path("micros").doubleValue();
      List<String> peers = new ArrayList<>();
      time.path("peers")
          .properties()
          .forEach(peer ->
              peers.add("%s %.2f".formatted(peer.getKey(), peer.getValue().doubleValue() / micros)));
      lines.add("| %s %s | %.1f | %.4g %s | %s | %s |"
          .formatted(
              text(time, "kernel"),
              text(time, "shape"),
              micros,
              time.path("rate").doubleValue(),
              text(time, "unit"),
              time.has("ofLimit")
                  ? "%.0f %%".formatted(100 * time.path("ofLimit").doubleValue())
                  : "",
              String.join(", ", peers)));
    }
    return lines;
  }
}
