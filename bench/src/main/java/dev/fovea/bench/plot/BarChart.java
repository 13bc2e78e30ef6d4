package dev.fovea.bench.plot;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** Groups of horizontal bars: a group for each piece of work, a bar for each who does it. */
public final class BarChart extends Chart {
  private static final int WIDTH = 860;
  private static final int TOP = 44;
  private static final int RIGHT = 64;
  private static final int LETTERS = 56;
  private static final double BAR = 11;
  private static final double GAP = 9;

  private final String unit;
  private final List<String> series;
  private final List<Group> groups = new ArrayList<>();
  private double limit = Double.NaN;
  private String limitName = "";

  private record Group(String name, List<Double> values) {}

  /**
   * Empty.
   *
   * @param name a short name, for files
   * @param title what it shows
   * @param unit of the bars
   * @param series who does the work
   */
  public BarChart(String name, String title, String unit, List<String> series) {
    super(name, title);
    this.unit = unit;
    this.series = List.copyOf(series);
  }

  /** A line that no bar can pass. */
  public BarChart limit(String name, double value) {
    limitName = name;
    limit = value;
    return this;
  }

  /** A group; NaN where there is no bar. */
  public BarChart group(String name, double[] values) {
    groups.add(new Group(name, Arrays.stream(values).boxed().toList()));
    return this;
  }

  /** Whether there is nothing to show. */
  public boolean isEmpty() {
    return groups.isEmpty();
  }

  private double left() {
    int letters = groups.stream().mapToInt(group -> group.name.length()).max().orElse(0);
    return 22 + LETTER * Math.min(letters, LETTERS);
  }

  private double bottom() {
    return TOP + groups.stream().mapToDouble(BarChart::height).sum() + GAP;
  }

  private static double height(Group group) {
    return GAP + BAR * bars(group);
  }

  private static long bars(Group group) {
    return Math.max(1, group.values.stream().filter(Double::isFinite).count());
  }

  @Override
  int width() {
    return WIDTH;
  }

  @Override
  int height() {
    return (int) bottom() + 52 + 18 * legendLines(series, left());
  }

  @Override
  void paint(Pen pen) {
    double left = left();
    double bottom = bottom();
    double most = groups.stream()
        .flatMap(group -> group.values.stream())
        .mapToDouble(Double::doubleValue)
        .filter(Double::isFinite)
        .max()
        .orElse(1);
    Scale x = Scale.of(0, Double.isNaN(limit) ? most : Math.max(most, limit), false, left, WIDTH - RIGHT);
    pen.text(16, 24, title(), Pen.Anchor.START, Ink.TEXT, TITLE);
    for (double tick : x.ticks()) {
      pen.line(x.at(tick), TOP, x.at(tick), bottom, Ink.GRID, 1);
      pen.text(x.at(tick), bottom + 16, Scale.label(tick), Pen.Anchor.MIDDLE, Ink.MUTED, SMALL);
    }
    pen.text((left + WIDTH - RIGHT) / 2, bottom + 34, unit, Pen.Anchor.MIDDLE, Ink.TEXT, LABEL);
    double y = TOP + GAP;
    for (Group group : groups) {
      double middle = y + BAR * bars(group) / 2;
      pen.text(left - 8, middle + 4, shortened(group.name, LETTERS), Pen.Anchor.END, Ink.TEXT, SMALL);
      for (int i = 0; i < group.values.size(); i++) {
        double value = group.values.get(i);
        if (Double.isFinite(value)) {
          String text = Scale.label(value < 100 ? Math.round(value * 10) / 10.0 : value);
          pen.bar(left, y, x.at(value) - left, BAR - 1.5, Ink.series(i), hint(series.get(i), text + " " + unit));
          pen.text(x.at(value) + 5, y + BAR - 2, text, Pen.Anchor.START, Ink.MUTED, 9);
          y += BAR;
        }
      }
      y += GAP + (group.values.stream().anyMatch(Double::isFinite) ? 0 : BAR);
    }
    if (Double.isFinite(limit)) {
      pen.path(new double[] {x.at(limit), x.at(limit)}, new double[] {TOP, bottom}, Ink.MUTED, true);
      pen.text(x.at(limit) + 4, TOP - 5, limitName, Pen.Anchor.END, Ink.MUTED, SMALL);
    }
    legend(pen, series, IntStream.range(0, series.size()).mapToObj(Ink::series).toList(), left, bottom + 58);
  }
}
