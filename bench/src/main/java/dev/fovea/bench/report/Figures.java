package dev.fovea.bench.report;

import dev.fovea.bench.plot.BarChart;
import dev.fovea.bench.plot.Chart;
import dev.fovea.bench.plot.LineChart;
import dev.fovea.bench.plot.LineChart.Point;
import dev.fovea.bench.report.Table.Row;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;

/** The plots of a run. */
final class Figures {
  private static final double MOST_LINEAR = 8;

  private final Results run;
  private final Limits limits;

  Figures(Results run) {
    this.run = run;
    limits = Limits.of(run);
  }

  /** All that have something to show: what concerns the whole run, then suite by suite. */
  List<Chart> all() {
    List<Chart> charts = new ArrayList<>(whole());
    run.suites().forEach(suite -> charts.addAll(of(suite)));
    return charts;
  }

  /** Of all suites together. */
  List<Chart> whole() {
    List<Chart> charts = new ArrayList<>();
    LineChart roofline = roofline();
    if (!roofline.isEmpty()) {
      charts.add(roofline);
    }
    LineChart scaling = threads();
    if (!scaling.isEmpty()) {
      charts.add(scaling);
    }
    return charts;
  }

  /** Of one suite. */
  List<Chart> of(SuiteNote suite) {
    List<Result> measured = run.of(suite.name()).stream()
        .filter(result -> result.isMeasured() && result.isTime())
        .toList();
    if (measured.isEmpty()) {
      return List.of();
    }
    return suite.axis() == null ? List.of(bars(suite)) : curves(suite, suite.axis(), measured);
  }

  private int mostThreads(List<Result> results) {
    return results.stream().mapToInt(result -> result.subject().threads()).max().orElse(1);
  }

  private String threads(int count) {
    return run.environment().gpu() != null ? "on the GPU" : count == 1 ? "1 thread" : count + " threads";
  }

  // Roofline

  private LineChart roofline() {
    LineChart chart = new LineChart(
            "roofline",
            "Roofline: what Fovea reaches between the machine's arithmetic and its memory",
            "operations for each byte that must be moved",
            "GFLOP/s")
        .log(true, true);
    List<Result> placed = run.results().stream()
        .filter(result -> !result.subject().suite().equals(Limits.SUITE))
        .filter(result -> result.subject().isFovea() && result.seconds() > 0)
        .filter(result -> result.extra(Extra.FLOPS) > 0 && result.extra(Extra.BYTES) > 0)
        .toList();
    int most = mostThreads(placed);
    placed =
        placed.stream().filter(result -> result.subject().threads() == most).toList();
    if (placed.isEmpty()) {
      return chart;
    }
    double least = placed.stream().mapToDouble(Figures::intensity).min().orElseThrow();
    double highest = placed.stream().mapToDouble(Figures::intensity).max().orElseThrow();
    for (int count : limits.threads()) {
      roof(chart, count, least, highest);
    }
    Map<String, List<Point>> points = new LinkedHashMap<>();
    for (Result result : placed) {
      points
          .computeIfAbsent(result.subject().suite(), s -> new ArrayList<>())
          .add(new Point(
              intensity(result),
              result.extra(Extra.FLOPS) / result.seconds() / 1e9,
              result.subject() + ", " + Units.percent(limits.share(result)) + " of the limit"));
    }
    points.forEach((suite, all) -> chart.points(suite + ", " + threads(most), all));
    return chart;
  }

  private void roof(LineChart chart, int threads, double least, double most) {
    double peak = limits.flops(threads);
    double memory = limits.bytes(threads);
    if (Double.isNaN(peak) || Double.isNaN(memory)) {
      return;
    }
    double ridge = peak / memory;
    double from = Math.min(least, ridge / 4);
    double to = Math.max(most, ridge * 4);
    chart.guide(
        threads(threads),
        List.of(
            new Point(from, from * memory / 1e9, ""), new Point(ridge, peak / 1e9, ""), new Point(to, peak / 1e9, "")));
  }

  private static double intensity(Result result) {
    return result.extra(Extra.FLOPS) / result.extra(Extra.BYTES);
  }

  // Threads

  /** The geometric mean of each suite's speed-ups. */
  private LineChart threads() {
    LineChart chart = new LineChart(
        "threads", "Speed with more threads (geometric mean of each suite)", "threads", "times faster than with one");
    double most = 0;
    for (SuiteNote suite : run.suites()) {
      Map<Integer, List<Double>> speedups = new LinkedHashMap<>();
      Map<Subject, Result> single = new LinkedHashMap<>();
      List<Result> ours = run.of(suite.name()).stream()
          .filter(result -> result.subject().isFovea() && result.seconds() > 0)
          .toList();
      ours.stream()
          .filter(result -> result.subject().threads() == 1)
          .forEach(result -> single.put(result.subject(), result));
      for (Result result : ours) {
        Subject subject = result.subject();
        Result one =
            single.get(new Subject(subject.suite(), subject.benchmark(), subject.parameters(), subject.variant(), 1));
        if (one != null) {
          speedups
              .computeIfAbsent(subject.threads(), t -> new ArrayList<>())
              .add(Math.log(one.seconds() / result.seconds()));
        }
      }
      if (speedups.size() > 1) {
        most = Math.max(
            most, speedups.keySet().stream().mapToInt(Integer::intValue).max().orElse(1));
        chart.curve(
            suite.name(),
            speedups.entrySet().stream()
                .map(entry -> {
                  double mean = entry.getValue().stream()
                      .mapToDouble(Double::doubleValue)
                      .average()
                      .orElse(0);
                  return new Point(entry.getKey(), Math.exp(mean), threads(entry.getKey()));
                })
                .toList());
      }
    }
    if (most > 1) {
      chart.guide("as many times as threads", List.of(new Point(1, 1, ""), new Point(most, most, "")));
    }
    return chart;
  }

  // Suites

  /** Speed against shape, of the most threads that were measured. */
  private BarChart bars(SuiteNote suite) {
    Table table = new Table(run, suite);
    int threads = mostThreads(run.of(suite.name()));
    List<Row> rows =
        table.rows().stream().filter(row -> row.threads() == threads).toList();
    List<String> who = new ArrayList<>(List.of("fovea"));
    who.addAll(table.peers());
    boolean images = all(rows, Extra.IMAGES);
    boolean flops = !images && all(rows, Extra.FLOPS);
    boolean known = rows.stream()
        .map(row -> row.results().get("fovea"))
        .anyMatch(ours -> ours != null && Double.isFinite(limits.share(ours)));
    String unit = images ? "images/s" : flops ? "GFLOP/s" : known ? "% of the machine's limit" : "calls/s";
    ToDoubleFunction<Result> value = images
        ? result -> result.extra(Extra.IMAGES) / result.seconds()
        : flops
            ? result -> result.extra(Extra.FLOPS) / result.seconds() / 1e9
            : known ? result -> 100 * limits.share(result) : result -> 1 / result.seconds();
    BarChart chart = new BarChart(suite.name(), suite.title() + ", " + threads(threads), unit, who);
    if (flops && Double.isFinite(limits.flops(threads))) {
      chart.limit("the machine's limit", limits.flops(threads) / 1e9);
    } else if (known && !images) {
      chart.limit("the machine's limit", 100);
    }
    for (Row row : rows) {
      Result ours = row.results().get("fovea");
      double[] values = who.stream()
          .mapToDouble(name -> {
            Result result = row.results().get(name);
            return result == null ? Double.NaN : value.applyAsDouble(sameWork(result, ours));
          })
          .toArray();
      chart.group(row.label(), values);
    }
    return chart;
  }

  /** What a call computes is known of Fovea; a peer does the same. */
  private static Result sameWork(Result result, @Nullable Result ours) {
    return ours == null || !result.isMeasured() || !ours.isMeasured()
        ? result
        : Result.of(result.subject(), result.samples(), ours.extras());
  }

  private static boolean all(List<Row> rows, String extra) {
    return rows.stream().map(row -> row.results().get("fovea")).allMatch(ours -> ours != null && ours.extra(extra) > 0);
  }

  /** Time, and memory where it was measured, along the suite's axis. */
  private List<Chart> curves(SuiteNote suite, String axis, List<Result> measured) {
    List<Chart> charts = new ArrayList<>();
    charts.add(
        curves(suite, axis, measured, "time", "Time: " + suite.title(), "ms for a call", r -> 1e3 * r.seconds(), true));
    if (measured.stream().anyMatch(result -> result.extra(Extra.PEAK_BYTES) > 0)) {
      charts.add(curves(
          suite,
          axis,
          measured,
          "memory",
          "Memory: " + suite.title(),
          "MB at most",
          r -> r.extra(Extra.PEAK_BYTES) / 1e6,
          false));
    }
    return charts;
  }

  private LineChart curves(
      SuiteNote suite,
      String axis,
      List<Result> measured,
      String what,
      String title,
      String unit,
      ToDoubleFunction<Result> value,
      boolean mayBeLog) {
    boolean byThreads = axis.equals("threads");
    int most = mostThreads(measured);
    Map<String, List<Point>> curves = new LinkedHashMap<>();
    for (Result result : measured) {
      Subject subject = result.subject();
      double x = byThreads ? subject.threads() : number(subject.parameter(axis));
      if ((byThreads || subject.threads() == most) && Double.isFinite(x) && value.applyAsDouble(result) > 0) {
        curves
            .computeIfAbsent(name(subject, axis), n -> new ArrayList<>())
            .add(new Point(x, value.applyAsDouble(result), subject.toString()));
      }
    }
    LineChart chart =
        new LineChart(suite.name() + "-" + what, byThreads ? title : title + ", " + threads(most), axis, unit);
    curves.forEach(chart::curve);
    List<Point> all = curves.values().stream().flatMap(List::stream).toList();
    return chart.log(mayBeLog && wide(all, Point::x), mayBeLog && wide(all, Point::y));
  }

  private static boolean wide(List<Point> points, ToDoubleFunction<Point> value) {
    double least = points.stream().mapToDouble(value).min().orElse(1);
    double most = points.stream().mapToDouble(value).max().orElse(1);
    return least > 0 && most / least > MOST_LINEAR;
  }

  private static double number(String text) {
    try {
      return Double.parseDouble(text);
    } catch (NumberFormatException e) {
      return Double.NaN;
    }
  }

  private static String name(Subject subject, String axis) {
    List<String> words = new ArrayList<>();
    words.add(subject.variant());
    if (!subject.benchmark().equals("run")) {
      words.add(subject.benchmark());
    }
    subject.parameters().forEach((name, value) -> {
      if (!name.equals(axis)) {
        words.add(Objects.requireNonNull(value));
      }
    });
    return String.join(" ", words);
  }
}
