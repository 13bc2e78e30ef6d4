package dev.fovea.bench.report;

import dev.fovea.bench.plot.Chart;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** A run as one page of HTML. */
final class Page {
  private static final String HEAD = """
      <!DOCTYPE html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="color-scheme" content="light dark">
      <title>Fovea: benchmarks</title>
      <style>
      :root { --page:#ffffff; --soft:#f5f6f8; --good:#2b7a4b; --bad:#b3402a; LIGHT }
      @media (prefers-color-scheme: dark) {
        :root { --page:#15191e; --soft:#1e242b; --good:#63be95; --bad:#e8775f; DARK }
      }
      body { background:var(--page); color:var(--ink); margin:0 auto; padding:24px; max-width:1000px;
        font:15px/1.5 system-ui, sans-serif; }
      h1 { font-size:24px; margin:0 0 4px; }
      h2 { font-size:19px; margin:40px 0 4px; }
      p, dd { margin:4px 0 12px; }
      .soft { color:var(--muted); }
      svg { display:block; max-width:100%; height:auto; margin:16px 0; font-family:system-ui, sans-serif; }
      .scroll { overflow-x:auto; }
      table { border-collapse:collapse; font-variant-numeric:tabular-nums; font-size:13.5px; margin:12px 0; }
      th, td { padding:3px 10px; text-align:right; white-space:nowrap; }
      th:first-child, td:first-child { text-align:left; padding-left:0; }
      th { color:var(--muted); font-weight:500; border-bottom:1px solid var(--grid); }
      tbody tr:hover { background:var(--soft); }
      .good { color:var(--good); }
      .bad { color:var(--bad); }
      dl { display:grid; grid-template-columns:max-content auto; gap:2px 18px; margin:16px 0; }
      dt { color:var(--muted); }
      dd { margin:0; }
      code { background:var(--soft); padding:1px 5px; border-radius:3px; }
      li { margin:2px 0; }
      </style>
      </head>
      <body>
      """;

  private final Results run;
  private final Figures figures;
  private final StringBuilder html = new StringBuilder();

  Page(Results run) {
    this.run = run;
    figures = new Figures(run);
  }

  String render() {
    html.append(HEAD.replace("LIGHT", Chart.css(false)).replace("DARK", Chart.css(true)));
    head();
    figures.whole().forEach(chart -> html.append(chart.svg()));
    run.suites().forEach(this::suite);
    return html.append("</body>\n</html>\n").toString();
  }

  private void head() {
    Environment environment = run.environment();
    html.append("<h1>Fovea: benchmarks</h1>\n<p class=\"soft\">Written by <code>%s</code> on %s. %s</p>\n"
        .formatted(text(environment.command()), text(environment.date()), effort()));
    Map<String, String> facts = new LinkedHashMap<>();
    facts.put("Fovea", environment.version() + (environment.commit() == null ? "" : ", " + environment.commit()));
    if (environment.gpu() != null) {
      facts.put("GPU", environment.gpu());
    }
    facts.put("Processor", "%s, %d cores, %s".formatted(environment.cpu(), environment.cores(), environment.vectors()));
    facts.put("Memory", Units.bytes(environment.memoryBytes()));
    facts.put("System", environment.os());
    facts.put("JVM", environment.jvm() + " " + String.join(" ", environment.jvmFlags()));
    List<String> peers = new ArrayList<>();
    environment.peers().forEach((name, version) -> peers.add(name + " " + version));
    facts.put("Peers", peers.isEmpty() ? "none" : String.join(", ", peers));
    Limits limits = Limits.of(run);
    for (int threads : limits.threads()) {
      facts.put(
          "Limits, " + threads + (threads == 1 ? " thread" : " threads"),
          "%s GFLOP/s of multiply-adds, %s GB/s of memory"
              .formatted(Units.digits(limits.flops(threads) / 1e9), Units.digits(limits.bytes(threads) / 1e9)));
    }
    run.of(Limits.SUITE).stream()
        .filter(limit -> limit.isMeasured() && !limit.isTime())
        .forEach(limit -> facts.put(
            "Limit of " + limit.subject().benchmark(),
            Units.digits(Objects.requireNonNull(limit.median())) + " " + limit.unit()));
    html.append("<dl>\n");
    facts.forEach((name, value) -> html.append("<dt>%s</dt><dd>%s</dd>\n".formatted(text(name), text(value))));
    html.append("</dl>\n<p>").append(text("""
        Times are means of calls, ± is half their confidence interval, and “of limit” is the time that the machine needs at \
        least, by its arithmetic or its memory as measured in this run, as a part of the time that was taken; where data \
        stays in the caches it can pass 100 %. “To” a peer is how many times faster Fovea is: above 1 Fovea is faster. \
        Answers were compared before anything was timed.\
        """)).append("</p>\n");
  }

  private String effort() {
    int forks = run.effort().forks();
    return forks == 1
        ? "One process for each measurement: a look, with wide error bars."
        : "%d processes for each measurement.".formatted(forks);
  }

  private void suite(SuiteNote suite) {
    Table table = new Table(run, suite);
    html.append("<h2>%s</h2>\n<p class=\"soft\">%s</p>\n".formatted(text(suite.name()), text(suite.title())));
    figures.of(suite).forEach(chart -> html.append(chart.svg()));
    html.append("<div class=\"scroll\"><table>\n<thead><tr>");
    table.head().forEach(name -> html.append("<th>").append(text(name)).append("</th>"));
    html.append("</tr></thead>\n<tbody>\n");
    int firstRatio = table.head().size() - table.peers().size();
    for (List<String> line : table.cells()) {
      html.append("<tr>");
      for (int i = 0; i < line.size(); i++) {
        html.append(i < firstRatio ? "<td>" : "<td" + tone(line.get(i)) + ">")
            .append(text(line.get(i)))
            .append("</td>");
      }
      html.append("</tr>\n");
    }
    html.append("</tbody>\n</table></div>\n");
    List<String> notes = table.notes();
    if (!notes.isEmpty()) {
      html.append("<ul class=\"soft\">\n");
      notes.forEach(note -> html.append("<li>").append(text(note)).append("</li>\n"));
      html.append("</ul>\n");
    }
  }

  private static String tone(String ratio) {
    try {
      double value = Double.parseDouble(ratio);
      return value >= 1.03 ? " class=\"good\"" : value <= 0.97 ? " class=\"bad\"" : "";
    } catch (NumberFormatException e) {
      return "";
    }
  }

  private static String text(String words) {
    return Objects.requireNonNull(words)
        .replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;");
  }
}
