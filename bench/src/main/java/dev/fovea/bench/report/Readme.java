package dev.fovea.bench.report;

import dev.fovea.bench.plot.Chart;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** A run as Markdown: a summary for the README, and all tables for a page of their own. */
public final class Readme {
  private static final Set<String> SHOWN = Set.of("roofline", "gemm");

  private final Results run;

  /** Of a run. */
  public Readme(Results run) {
    this.run = run;
  }

  /**
   * Replaces what stands between the marks {@code <!-- name:begin -->} and {@code <!-- name:end -->}.
   *
   * @throws IllegalArgumentException if the file has no such marks
   */
  public static void replace(Path file, String name, String text) throws IOException {
    String begin = "<!-- " + name + ":begin -->";
    String end = "<!-- " + name + ":end -->";
    String old = Files.readString(file);
    int from = old.indexOf(begin);
    int to = old.indexOf(end);
    if (from < 0 || to < from) {
      throw new IllegalArgumentException(file + ": got no region, expected " + begin + " and " + end);
    }
    Files.writeString(file, old.substring(0, from) + begin + "\n" + text + old.substring(to));
  }

  /** Writes the plots that the pages show. */
  public void pictures(Path folder) throws IOException {
    Files.createDirectories(folder);
    for (Chart chart : new Figures(run).all()) {
      chart.png(folder.resolve("bench-" + chart.name() + ".png"));
    }
  }

  /**
   * Short tables in plain words, and two plots.
   *
   * @param pictures the folder of the plots, from where the text will stand
   * @param all the page with all tables, from there
   */
  public String summary(String pictures, String all) {
    Digest digest = new Digest(run);
    List<String> words = new ArrayList<>(List.of(digest.threads(), digest.errors()));
    words.add("[Every suite, size and peer](%s).".formatted(all));
    words.removeIf(String::isEmpty);
    StringBuilder text = new StringBuilder(about());
    text.append(digest.tables()).append('\n').append(String.join(" ", words)).append("\n\n");
    new Figures(run)
        .all().stream()
            .filter(chart -> SHOWN.contains(chart.name()))
            .forEach(chart -> text.append("![%s](%s/bench-%s.png)\n".formatted(chart.title(), pictures, chart.name())));
    return text.toString();
  }

  /** Every table and plot. */
  public String tables(String pictures) {
    Figures figures = new Figures(run);
    StringBuilder text = new StringBuilder("# Benchmarks\n\n" + about());
    text.append(
        "“Of limit” is the time that the machine needs at least, by its arithmetic or its memory, as a part of the"
            + " time that was taken. Bytes are those that move: what is written counts twice, since a store fetches the"
            + " line it falls in.\n");
    figures.whole().forEach(chart -> picture(text, pictures, chart));
    for (SuiteNote suite : run.suites()) {
      Table table = new Table(run, suite);
      text.append("\n## %s\n\n%s\n\n%s".formatted(suite.name(), suite.title(), TableText.markdown(table)));
      if (!table.notes().isEmpty()) {
        text.append('\n');
        table.notes().forEach(note -> text.append("- ").append(note).append('\n'));
      }
      figures.of(suite).forEach(chart -> picture(text, pictures, chart));
    }
    return text.toString();
  }

  private static void picture(StringBuilder text, String pictures, Chart chart) {
    text.append("\n![%s](%s/bench-%s.png)\n".formatted(chart.title(), pictures, chart.name()));
  }

  /** Where, when and how, and how to read it. */
  private String about() {
    Environment environment = run.environment();
    Limits limits = Limits.of(run);
    String machine = environment.gpu() != null
        ? environment.gpu()
        : "%s, %d cores, %s".formatted(environment.cpu(), environment.cores(), environment.vectors());
    String reach = limits.threads().stream()
        .filter(threads -> Double.isFinite(limits.flops(threads)))
        .map(threads -> "%s GFLOP/s and %s GB/s on %s"
            .formatted(
                Units.digits(limits.flops(threads) / 1e9),
                Units.digits(limits.bytes(threads) / 1e9),
                threads == 1 ? "one thread" : threads + " threads"))
        .collect(Collectors.joining(", "));
    List<String> lines = new ArrayList<>();
    lines.add("Measured by `%s` on %s (%s, Java %s), %s, and written by `./fovea bench readme`."
        .formatted(
            environment.command(),
            machine,
            environment.os().replaceAll(" .*", ""),
            environment.jvm().replaceAll(".* ", ""),
            environment.date().replaceAll("T.*", "")));
    if (!reach.isEmpty()) {
      lines.add("The machine's limits, measured in the same run: " + reach + ".");
    }
    lines.add("“To” a peer is how many times faster Fovea is: above 1 Fovea is faster.");
    return String.join(" ", lines) + "\n\n";
  }
}
