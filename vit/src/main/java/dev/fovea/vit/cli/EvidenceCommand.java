package dev.fovea.vit.cli;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.fovea.kernels.cuda.KernelBuild;
import java.io.IOException;
import java.io.PrintWriter;
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
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Tells what real GPUs have shown about the kernels of this build. */
@Command(
    name = "evidence",
    description = {
      "Tell what is known from real GPUs about the kernels of this build.",
      "A kernel is verified where its cases were within their tolerances on that GPU, stale where its sources have"
          + " changed since, failed where a case was wrong, and pending where it has not run on that GPU yet."
    })
final class EvidenceCommand implements Runnable {
  @Spec
  private CommandSpec spec;

  @Parameters(
      arity = "0..*",
      paramLabel = "FILE",
      description = "Evidence that bench/gpu-bundle wrote (default: all in bench/evidence).")
  private List<Path> files = List.of();

  @Option(names = "--times", description = "Print the times too: Markdown, slower peers have ratios above 1.")
  private boolean times;

  /** What a file says about the kernels of one family. */
  private static final class Standing {
    final Map<State, List<String>> kernels = new TreeMap<>();
    int cases;
    double ofTolerance;

    void add(State state, String kernel) {
      kernels.computeIfAbsent(state, s -> new ArrayList<>()).add(kernel);
    }
  }

  /** What is known about a kernel. */
  private enum State {
    VERIFIED,
    FAILED,
    STALE,
    PENDING;

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  @Override
  public void run() {
    PrintWriter out = spec.commandLine().getOut();
    KernelBuild build = KernelBuild.find();
    try {
      List<Path> found = files.isEmpty() ? known() : files;
      if (found.isEmpty()) {
        out.println("no evidence yet: no kernel has run on a real GPU");
        kernels(out, build, null);
      }
      for (Path file : found) {
        tell(out, build, file);
      }
    } catch (IOException e) {
      throw new IllegalArgumentException(
          e instanceof NoSuchFileException ? e.getMessage() + ": no such file" : e.getMessage(), e);
    }
  }

  private static List<Path> known() throws IOException {
    Path folder = Path.of(System.getProperty("fovea.home", ""), "bench", "evidence");
    if (!Files.isDirectory(folder)) {
      return List.of();
    }
    try (Stream<Path> all = Files.list(folder)) {
      return all.filter(file -> file.toString().endsWith(".json")).sorted().toList();
    }
  }

  private void tell(PrintWriter out, @Nullable KernelBuild build, Path file) throws IOException {
    JsonNode evidence = new ObjectMapper().readTree(file.toFile());
    if (!evidence.has("gpu") || !evidence.has("kernels")) {
      throw new IllegalArgumentException(file + ": got no evidence, expected a file that bench/gpu-bundle wrote");
    }
    out.println("%s, compute capability %s, driver for %s, %s, Fovea %s"
        .formatted(
            text(evidence, "gpu"),
            text(evidence, "capability"),
            text(evidence, "driver"),
            text(evidence, "date"),
            text(evidence, "fovea")));
    if (evidence.path("emulated").booleanValue()) {
      out.println("not a GPU: this was written by the machine that tests run on, and shows nothing about GPUs");
    }
    kernels(out, build, evidence);
    evidence
        .path("models")
        .forEach(model -> out.println("model %s: %s, off by %.1e of the largest value"
            .formatted(
                text(model, "shape"), text(model, "status"), model.path("error").doubleValue())));
    evidence
        .path("failures")
        .forEach(failure -> out.println(
            "failed: %s %s: %s".formatted(text(failure, "kernel"), text(failure, "shape"), text(failure, "message"))));
    if (times) {
      times(out, evidence);
    }
  }

  private static String text(JsonNode node, String field) {
    return node.path(field).asText("unknown");
  }

  private static void kernels(PrintWriter out, @Nullable KernelBuild build, @Nullable JsonNode evidence) {
    if (build == null) {
      out.println("this build has no GPU kernels (nvcc was not found), so their states cannot be told");
      return;
    }
    Map<State, Integer> counts = new TreeMap<>();
    for (KernelBuild.Family family : build.families()) {
      Standing standing = standing(family, evidence);
      standing.kernels.forEach((state, names) -> counts.merge(state, names.size(), Integer::sum));
      int verified = standing.kernels.getOrDefault(State.VERIFIED, List.of()).size();
      out.println("%s: %d of %d kernels verified%s"
          .formatted(
              family.name(),
              verified,
              family.kernels().size(),
              verified == 0
                  ? ""
                  : " (%d cases, errors up to %.0f %% of the tolerance)"
                      .formatted(standing.cases, 100 * standing.ofTolerance)));
      standing.kernels.forEach((state, names) -> {
        if (state != State.VERIFIED) {
          out.println("  " + state + ": " + String.join(" ", names));
        }
      });
    }
    out.println("all: "
        + String.join(
            ", ",
            Stream.of(State.values())
                .map(state -> counts.getOrDefault(state, 0) + " " + state)
                .toList()));
  }

  private static Standing standing(KernelBuild.Family family, @Nullable JsonNode evidence) {
    Standing standing = new Standing();
    for (String name : family.kernels()) {
      JsonNode kernel = evidence == null ? null : find(evidence, family.name(), name);
      State state = state(family, kernel);
      standing.add(state, name);
      if (kernel != null && state == State.VERIFIED) {
        standing.cases += kernel.path("cases").intValue();
        standing.ofTolerance =
            Math.max(standing.ofTolerance, kernel.path("ofTolerance").doubleValue());
      }
    }
    return standing;
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

  private static void times(PrintWriter out, JsonNode evidence) {
    out.println();
    evidence
        .path("limits")
        .properties()
        .forEach(limit -> out.println("limit of %s: %s %s (%s)"
            .formatted(
                limit.getKey(),
                limit.getValue().path("rate"),
                text(limit.getValue(), "unit"),
                text(limit.getValue(), "by"))));
    out.println();
    out.println("| kernel | µs | rate | of limit | peers, time to ours |");
    out.println("|---|---|---|---|---|");
    for (JsonNode time : evidence.path("times")) {
      double micros = time.path("micros").doubleValue();
      List<String> peers = new ArrayList<>();
      time.path("peers")
          .properties()
          .forEach(peer ->
              peers.add("%s %.2f".formatted(peer.getKey(), peer.getValue().doubleValue() / micros)));
      out.println("| %s %s | %.1f | %.4g %s | %s | %s |"
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
  }
}
