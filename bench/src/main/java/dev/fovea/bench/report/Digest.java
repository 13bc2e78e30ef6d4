package dev.fovea.bench.report;

import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** The lines of a run that a newcomer asks for first, in a short table for each kind of work. */
final class Digest {
  private static final Set<String> BOUND_BY_MEMORY =
      Set.of("layer", "backward", "gelu", "geluGradient", "add", "adamW");

  private static final Set<String> BACKWARD = Set.of("backward", "geluGradient");

  private static final List<Part> PARTS = List.of(
      new Part("Products of matrices, F32", "of peak", true, of("gemm")),
      new Part("Attention, F32", "of peak", true, of("attention")),
      new Part(
          "Bound by memory",
          "of memory's speed",
          true,
          of("norm", "elementwise", "optimizer").and(subject -> BOUND_BY_MEMORY.contains(subject.benchmark()))),
      new Part("Models, F32, 224 pixels", "", false, of("models", "train")));

  private final Results run;
  private final Limits limits;

  Digest(Results run) {
    this.run = run;
    limits = Limits.of(run);
  }

  /**
   * A table.
   *
   * @param title of the first column
   * @param share the title of what is reached of the limit
   * @param hasShare whether there is such a column
   * @param rows what it holds
   */
  private record Part(String title, String share, boolean hasShare, Predicate<Subject> rows) {}

  private static Predicate<Subject> of(String... suites) {
    return subject -> List.of(suites).contains(subject.suite());
  }

  /** All tables that have rows, as Markdown. */
  String tables() {
    return PARTS.stream().map(this::table).filter(table -> !table.isEmpty()).collect(Collectors.joining("\n"));
  }

  private String table(Part part) {
    Map<Subject, Map<String, Map<Integer, Result>>> rows = new LinkedHashMap<>();
    Set<String> peers = new LinkedHashSet<>();
    for (Result result : run.results()) {
      Subject subject = result.subject();
      if (part.rows.test(subject) && !subject.variant().startsWith("fovea:") && result.isMeasured()) {
        rows.computeIfAbsent(withoutThreads(subject), row -> new LinkedHashMap<>())
            .computeIfAbsent(subject.variant(), by -> new LinkedHashMap<>())
            .put(subject.threads(), result);
        if (!subject.isFovea() && !subject.variant().endsWith(":packed")) {
          peers.add(subject.variant());
        }
      }
    }
    rows.values().removeIf(row -> !row.containsKey("fovea"));
    if (rows.isEmpty()) {
      return "";
    }
    List<String> head = new ArrayList<>(List.of(part.title, "time"));
    if (part.hasShare) {
      head.add(part.share);
    }
    peers.forEach(peer -> head.add("to " + Names.peer(peer)));
    boolean hasMemory = rows.values().stream()
        .flatMap(row -> row.getOrDefault("fovea", Map.of()).values().stream())
        .anyMatch(ours -> ours.extra(Extra.PEAK_BYTES) > 0);
    if (hasMemory) {
      head.add("memory");
    }
    StringBuilder text = new StringBuilder(line(head)).append(line(Collections.nCopies(head.size(), "---")));
    rows.entrySet().stream()
        .sorted(Comparator.comparing(row -> BACKWARD.contains(row.getKey().benchmark())))
        .forEach(row -> {
          List<String> cells = cells(part, row.getKey(), row.getValue(), peers);
          if (hasMemory) {
            cells.add(memory(row.getValue().getOrDefault("fovea", Map.of())));
          }
          text.append(line(cells));
        });
    return text.toString();
  }

  private List<String> cells(Part part, Subject subject, Map<String, Map<Integer, Result>> row, Set<String> peers) {
    Map<Integer, Result> ours = row.getOrDefault("fovea", Map.of());
    List<String> cells = new ArrayList<>(List.of(Names.of(subject)));
    cells.add(each(ours, result -> Units.time(result.seconds())));
    if (part.hasShare) {
      cells.add(each(ours, result -> Units.percent(limits.share(result))));
    }
    for (String peer : peers) {
      Map<Integer, Result> theirs = row.getOrDefault(peer, Map.of());
      cells.add(
          theirs.isEmpty()
              ? ""
              : each(
                  ours,
                  result -> Units.ratio(
                      Table.ratio(result, theirs.get(result.subject().threads())))));
    }
    return cells;
  }

  /** The most that a call needs, whose threads hardly matter. */
  private static String memory(Map<Integer, Result> byThreads) {
    return Units.bytes(byThreads.values().stream()
        .mapToDouble(result -> result.extra(Extra.PEAK_BYTES))
        .max()
        .orElse(Double.NaN));
  }

  /** For every number of threads that anything here was measured with, fewest first. */
  private String each(Map<Integer, Result> byThreads, Function<Result, String> text) {
    return threadCounts().stream()
        .map(byThreads::get)
        .map(result -> result == null ? "–" : text.apply(result))
        .collect(Collectors.joining(" / "));
  }

  private static Subject withoutThreads(Subject subject) {
    return new Subject(subject.suite(), subject.benchmark(), subject.parameters(), "", 0);
  }

  private static String line(List<String> cells) {
    return "| " + String.join(" | ", cells) + " |\n";
  }

  /** How many threads the numbers of a cell are of, in words; empty where there is one alone. */
  String threads() {
    List<Integer> threads = threadCounts();
    return threads.size() < 2
        ? ""
        : "Numbers with a stroke between are of %s threads."
            .formatted(threads.stream().map(String::valueOf).collect(Collectors.joining(" / ")));
  }

  private List<Integer> threadCounts() {
    return shown().stream()
        .map(result -> result.subject().threads())
        .distinct()
        .sorted()
        .toList();
  }

  /** How far the times can be trusted; empty where that is not known. */
  String errors() {
    double[] errors = shown().stream()
        .map(result -> Estimate.of(result.samples()))
        .mapToDouble(estimate -> estimate.error() / estimate.median())
        .filter(Double::isFinite)
        .sorted()
        .toArray();
    return errors.length == 0
        ? ""
        : "Confidence intervals of Fovea's times here: ± %s %% in the median, ± %s %% for nine of ten."
            .formatted(
                Units.digits(100 * errors[errors.length / 2]), Units.digits(100 * errors[errors.length * 9 / 10]));
  }

  private List<Result> shown() {
    return run.results().stream()
        .filter(result -> result.isMeasured() && result.subject().variant().equals("fovea"))
        .filter(result -> PARTS.stream().anyMatch(part -> part.rows.test(result.subject())))
        .toList();
  }
}
