package dev.fovea.bench.cli;

import com.fasterxml.jackson.databind.JsonNode;
import dev.fovea.bench.gpu.GpuRun;
import dev.fovea.bench.report.Effort;
import dev.fovea.bench.report.Environment;
import dev.fovea.bench.report.Extra;
import dev.fovea.bench.report.Limits;
import dev.fovea.bench.report.Result;
import dev.fovea.bench.report.Results;
import dev.fovea.bench.report.Subject;
import dev.fovea.bench.report.SuiteNote;
import dev.fovea.vit.cli.EvidenceFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine;

/** Benchmarks on a GPU: a {@link GpuRun} of its limits, times and peers, as results like those of the CPU. */
final class GpuBench {
  private static final String RUN = "run";

  private GpuBench() {}

  /**
   * Measures.
   *
   * @param families of kernels; all where there are none
   * @throws IllegalStateException if there is no such GPU, with the reason
   */
  static Results run(String device, Effort effort, List<String> families, Path folder, Environment environment)
      throws IOException {
    List<String> arguments = new ArrayList<>(List.of(
        "--device",
        device,
        "--minutes",
        minutes(effort),
        "--stages",
        "limits,times,peers",
        "--out",
        folder.toString(),
        "--earlier",
        folder.toString(),
        "--peers",
        Path.of(System.getProperty("fovea.home", ""), "bench", "peers").toString()));
    if (!families.isEmpty()) {
      arguments.addAll(List.of("--families", String.join(",", families)));
    }
    String[] problem = {""};
    int exit = new CommandLine(new GpuRun())
        .setExecutionExceptionHandler((e, command, parsed) -> {
          problem[0] = Objects.requireNonNullElse(e.getMessage(), e.toString());
          return CommandLine.ExitCode.SOFTWARE;
        })
        .execute(arguments.toArray(String[]::new));
    Path file = evidence(folder);
    if (file == null) {
      throw new IllegalStateException(
          "%s: %s".formatted(device, problem[0].isEmpty() ? "exit code " + exit : problem[0]));
    }
    return results(EvidenceFile.read(file), effort, environment);
  }

  private static String minutes(Effort effort) {
    return switch (effort) {
      case QUICK -> "4";
      case NORMAL -> "10";
      case FULL -> "30";
    };
  }

  private static @Nullable Path evidence(Path folder) throws IOException {
    try (Stream<Path> files = Files.list(folder)) {
      return files
          .filter(file -> file.toString().endsWith(".json"))
          .filter(file -> !file.endsWith(Results.FILE))
          .findFirst()
          .orElse(null);
    }
  }

  /** What was found on a GPU as results: a median of many repetitions each, and shares of the best rate measured. */
  static Results results(EvidenceFile evidence, Effort effort, Environment environment) {
    List<Result> results = new ArrayList<>();
    JsonNode json = evidence.json();
    json.path("limits").properties().forEach(limit -> results.add(limit(limit.getKey(), limit.getValue())));
    Set<String> peers = new LinkedHashSet<>();
    json.path("times").forEach(time -> time.path("peers").fieldNames().forEachRemaining(peers::add));
    if (peers.isEmpty()) {
      peers.add("PyTorch");
    }
    String missing = json.path("withoutPeers").asText("bench/peers/gpu.py does not time this");
    Map<String, SuiteNote> suites = new TreeMap<>();
    for (JsonNode time : json.path("times")) {
      Subject subject = subject(time);
      suites.computeIfAbsent(
          subject.suite(),
          name -> new SuiteNote(name, "the kernels of " + name + " on the GPU, events around each", null));
      results.add(new Result(
          subject, Result.MICROS, List.of(List.of(time.path("micros").doubleValue())), extras(time), null, false));
      for (String peer : peers) {
        JsonNode micros = time.path("peers").path(peer);
        results.add(
            micros.isNumber()
                ? Result.of(subject.by(peer), List.of(List.of(micros.doubleValue())), Map.of())
                : Result.blank(subject.by(peer), missing));
      }
    }
    json.path("failures")
        .forEach(failure ->
            results.add(Result.failure(subject(failure), failure.path("message").asText())));
    return new Results(effort, onGpu(environment, evidence), List.copyOf(suites.values()), results);
  }

  private static Result limit(String name, JsonNode limit) {
    Subject subject = new Subject(Limits.SUITE, name, Map.of(), "fovea", 1);
    return new Result(
        subject,
        limit.path("unit").asText(),
        List.of(List.of(limit.path("rate").doubleValue())),
        Map.of(),
        null,
        false);
  }

  private static Subject subject(JsonNode time) {
    String kernel = time.path("kernel").asText();
    return new Subject(
        kernel.replaceFirst("\\..*", ""),
        RUN,
        Map.of("kernel", kernel + " " + time.path("shape").asText()),
        "fovea",
        1);
  }

  private static Map<String, Double> extras(JsonNode time) {
    Map<String, Double> extras = new TreeMap<>();
    put(extras, Extra.FLOPS, time.path("flops"));
    put(extras, Extra.BYTES, time.path("bytes"));
    put(extras, Extra.OF_LIMIT, time.path("ofLimit"));
    put(extras, Extra.HOST_MICROS, time.path(Extra.HOST_MICROS));
    put(extras, "lowMicros", time.path("low"));
    put(extras, "highMicros", time.path("high"));
    put(extras, "repetitions", time.path("repetitions"));
    return extras;
  }

  private static void put(Map<String, Double> extras, String name, JsonNode value) {
    if (value.doubleValue() > 0) {
      extras.put(name, value.doubleValue());
    }
  }

  private static Environment onGpu(Environment host, EvidenceFile evidence) {
    Map<String, String> peers = new TreeMap<>();
    evidence
        .json()
        .path("peers")
        .properties()
        .forEach(peer -> peers.put(peer.getKey(), peer.getValue().asText()));
    String gpu = "%s, compute capability %s, driver for %s"
        .formatted(
            evidence.gpu(),
            evidence.json().path("capability").asText(),
            evidence.json().path("driver").asText());
    return new Environment(
        host.date(),
        host.command(),
        host.version(),
        host.commit(),
        host.cpu(),
        host.cores(),
        host.vectors(),
        host.memoryBytes(),
        host.os(),
        host.jvm(),
        host.jvmFlags(),
        evidence.isEmulated() ? gpu + " (not a GPU: the machine that tests run on)" : gpu,
        peers);
  }
}
