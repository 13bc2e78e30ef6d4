package dev.fovea.bench.report;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The results of a suite as rows: one for each piece of work that Fovea does, with its peers beside it. A peer of
 * Fovea's special way, as in {@code fovea:packed} and {@code mkl:packed}, stands beside that way.
 */
public final class Table {
  private final SuiteNote note;
  private final Limits limits;
  private final boolean onGpu;
  private final Map<Subject, Map<String, Result>> rows = new LinkedHashMap<>();
  private final Set<String> peers = new LinkedHashSet<>();

  /** Of one suite of a run. */
  public Table(Results run, SuiteNote note) {
    this.note = note;
    limits = Limits.of(run);
    onGpu = run.environment().gpu() != null;
    List<Result> results = run.of(note.name());
    Set<String> ways = new LinkedHashSet<>();
    results.stream().map(Result::subject).filter(Subject::isFovea).forEach(subject -> ways.add(way(subject.variant())));
    for (Result result : results) {
      Subject subject = result.subject();
      String way = way(subject.variant());
      boolean own = ways.contains(way);
      String column = own && !way.isEmpty()
          ? subject.variant().substring(0, subject.variant().indexOf(':'))
          : subject.variant();
      String row = own && !way.isEmpty() ? "fovea:" + way : "fovea";
      rows.computeIfAbsent(subject.by(row), r -> new LinkedHashMap<>()).put(column, result);
      if (!subject.isFovea()) {
        peers.add(column);
      }
    }
  }

  private static String way(String variant) {
    int colon = variant.indexOf(':');
    return colon < 0 ? "" : variant.substring(colon + 1);
  }

  /** The suite. */
  public SuiteNote note() {
    return note;
  }

  /** Who Fovea is compared with. */
  public List<String> peers() {
    return List.copyOf(peers);
  }

  /**
   * A piece of work.
   *
   * @param label what is done, without the threads
   * @param threads that do it
   * @param results by who does it: {@code "fovea"}, or one of the peers
   */
  public record Row(String label, int threads, Map<String, Result> results) {}

  /** All rows. */
  public List<Row> rows() {
    return rows.entrySet().stream()
        .map(row -> new Row(label(row.getKey()), row.getKey().threads(), row.getValue()))
        .toList();
  }

  /** The names of the columns. */
  public List<String> head() {
    List<String> head = new ArrayList<>(List.of("", "threads", "time", "±", "rate", "of limit"));
    if (onGpu) {
      head.remove("threads");
    }
    if (has(Extra.HOST_MICROS)) {
      head.add("host time");
    }
    if (has(Extra.PEAK_BYTES)) {
      head.add("peak memory");
    }
    if (has(Extra.ALLOCATED)) {
      head.add("heap/call");
    }
    peers.forEach(peer -> head.add("to " + peer));
    return head;
  }

  /** The cells, a list for each row. */
  public List<List<String>> cells() {
    List<List<String>> lines = new ArrayList<>();
    rows.forEach((row, results) -> lines.add(line(row, results)));
    return lines;
  }

  private List<String> line(Subject row, Map<String, Result> results) {
    Result ours = results.get("fovea");
    List<String> line = new ArrayList<>(List.of(label(row)));
    if (!onGpu) {
      line.add(String.valueOf(row.threads()));
    }
    if (ours == null || !ours.isMeasured()) {
      line.addAll(List.of(ours != null && ours.failed() ? "failed" : "–", "", "", ""));
    } else {
      Double error = ours.error();
      double median = Objects.requireNonNull(ours.median());
      line.add(ours.isTime() ? Units.time(ours.seconds()) : Units.digits(median) + " " + ours.unit());
      line.add(error == null ? "" : "%.0f %%".formatted(100 * error / median));
      line.add(Units.rate(ours));
      line.add(Units.percent(limits.share(ours)));
    }
    if (has(Extra.HOST_MICROS)) {
      line.add(ours == null ? "" : Units.time(1e-6 * ours.extra(Extra.HOST_MICROS)));
    }
    if (has(Extra.PEAK_BYTES)) {
      line.add(ours == null ? "" : Units.bytes(ours.extra(Extra.PEAK_BYTES)));
    }
    if (has(Extra.ALLOCATED)) {
      line.add(ours == null ? "" : Units.bytes(ours.extra(Extra.ALLOCATED)));
    }
    for (String peer : peers) {
      Result theirs = results.get(peer);
      line.add(theirs == null ? "" : theirs.failed() ? "failed" : Units.ratio(ratio(ours, theirs)));
    }
    return line;
  }

  private static String label(Subject row) {
    List<String> words = new ArrayList<>();
    if (!row.benchmark().equals("run")) {
      words.add(row.benchmark());
    }
    words.addAll(row.parameters().values());
    words.add(way(row.variant()));
    words.removeIf(String::isEmpty);
    return String.join(" ", words);
  }

  private boolean has(String extra) {
    return rows.values().stream()
        .map(results -> results.get("fovea"))
        .anyMatch(ours -> ours != null && !Double.isNaN(ours.extra(extra)));
  }

  /** How many times faster the first is; NaN where one is blank, or they were measured in different units. */
  public static double ratio(@Nullable Result ours, @Nullable Result theirs) {
    if (ours == null || theirs == null || !ours.isMeasured() || !theirs.isMeasured()) {
      return Double.NaN;
    }
    double median = Objects.requireNonNull(ours.median());
    double other = Objects.requireNonNull(theirs.median());
    return !ours.unit().equals(theirs.unit()) ? Double.NaN : ours.isTime() ? other / median : median / other;
  }

  private double[] ratios(String peer) {
    return rows.values().stream()
        .mapToDouble(results -> ratio(results.get("fovea"), results.get(peer)))
        .filter(Double::isFinite)
        .toArray();
  }

  /** The geometric mean of how many times faster Fovea is; NaN where nothing was compared. */
  public double meanRatio(String peer) {
    return Math.exp(Arrays.stream(ratios(peer)).map(Math::log).average().orElse(Double.NaN));
  }

  /** The median of what Fovea reaches of the limits; NaN where that is not known. */
  public double medianShare() {
    double[] shares = rows.values().stream()
        .map(results -> results.get("fovea"))
        .filter(Objects::nonNull)
        .mapToDouble(limits::share)
        .filter(Double::isFinite)
        .sorted()
        .toArray();
    return shares.length == 0 ? Double.NaN : shares[shares.length / 2];
  }

  /** What a reader must know beside the numbers: how the peers do on the whole, and why cells are blank. */
  public List<String> notes() {
    List<String> notes = new ArrayList<>();
    for (String peer : peers) {
      double[] ratios = ratios(peer);
      if (ratios.length > 1) {
        notes.add("to %s: %s on the geometric mean of %d".formatted(peer, Units.ratio(meanRatio(peer)), ratios.length));
      }
    }
    Map<String, Integer> reasons = new TreeMap<>();
    rows.values().stream()
        .flatMap(results -> results.values().stream())
        .filter(result -> result.reason() != null)
        .forEach(result -> reasons.merge(
            "%s %s: %s".formatted(result.subject().variant(), result.failed() ? "failed" : "is blank", result.reason()),
            1,
            Integer::sum));
    reasons.forEach((reason, count) -> notes.add(count == 1 ? reason : reason + " (" + count + " cells)"));
    return notes;
  }
}
