package dev.fovea.bench.plot;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.ToDoubleFunction;

/** Curves and points over two axes. */
public final class LineChart extends Chart {
  private static final int WIDTH = 860;
  private static final int PLOT = 360;
  private static final int LEFT = 74;
  private static final int RIGHT = 24;
  private static final int TOP = 44;

  private final String xLabel;
  private final String yLabel;
  private final List<Curve> curves = new ArrayList<>();
  private boolean logX;
  private boolean logY;

  /**
   * A point of a curve.
   *
   * @param x to the right
   * @param y upwards
   * @param hint what it is, in words
   */
  public record Point(double x, double y, String hint) {}

  private record Curve(String name, Ink ink, List<Point> points, boolean line, boolean dots, boolean dashed) {}

  /**
   * Empty.
   *
   * @param name a short name, for files
   * @param title what it shows
   * @param xLabel quantity and unit to the right
   * @param yLabel quantity and unit upwards
   */
  public LineChart(String name, String title, String xLabel, String yLabel) {
    super(name, title);
    this.xLabel = xLabel;
    this.yLabel = yLabel;
  }

  /** Logarithmic axes. */
  public LineChart log(boolean x, boolean y) {
    logX = x;
    logY = y;
    return this;
  }

  /** A curve through points, in the next colour. */
  public LineChart curve(String name, List<Point> points) {
    List<Point> sorted =
        points.stream().sorted(Comparator.comparingDouble(Point::x)).toList();
    curves.add(new Curve(name, Ink.series(colours()), sorted, true, true, false));
    return this;
  }

  /** Points alone, in the next colour. */
  public LineChart points(String name, List<Point> points) {
    curves.add(new Curve(name, Ink.series(colours()), points, false, true, false));
    return this;
  }

  /** A dashed line without a colour of its own. */
  public LineChart guide(String name, List<Point> points) {
    curves.add(new Curve(name, Ink.MUTED, points, true, false, true));
    return this;
  }

  private int colours() {
    return (int) curves.stream().filter(curve -> curve.dots).count();
  }

  /** Whether there is nothing to show. */
  public boolean isEmpty() {
    return curves.stream().noneMatch(Curve::dots);
  }

  private List<Curve> coloured() {
    return curves.stream().filter(Curve::dots).toList();
  }

  private List<String> names() {
    return coloured().stream().map(Curve::name).toList();
  }

  @Override
  int width() {
    return WIDTH;
  }

  @Override
  int height() {
    return TOP + PLOT + 52 + 18 * legendLines(names(), LEFT);
  }

  private Scale scale(ToDoubleFunction<Point> value, boolean log, double from, double to) {
    double[] all = curves.stream()
        .flatMap(curve -> curve.points.stream())
        .mapToDouble(value)
        .filter(Double::isFinite)
        .sorted()
        .toArray();
    return Scale.of(all[0], all[all.length - 1], log, from, to);
  }

  @Override
  void paint(Pen pen) {
    int bottom = TOP + PLOT;
    Scale x = scale(Point::x, logX, LEFT, WIDTH - RIGHT);
    Scale y = scale(Point::y, logY, bottom, TOP);
    pen.text(LEFT, 24, title(), Pen.Anchor.START, Ink.TEXT, TITLE);
    for (double tick : y.ticks()) {
      pen.line(LEFT, y.at(tick), WIDTH - RIGHT, y.at(tick), Ink.GRID, 1);
      pen.text(LEFT - 8, y.at(tick) + 4, Scale.label(tick), Pen.Anchor.END, Ink.MUTED, SMALL);
    }
    for (double tick : x.ticks()) {
      pen.line(x.at(tick), TOP, x.at(tick), bottom, Ink.GRID, 1);
      pen.text(x.at(tick), bottom + 17, Scale.label(tick), Pen.Anchor.MIDDLE, Ink.MUTED, SMALL);
    }
    pen.line(LEFT, bottom, WIDTH - RIGHT, bottom, Ink.MUTED, 1);
    pen.text((LEFT + WIDTH - RIGHT) / 2.0, bottom + 36, xLabel, Pen.Anchor.MIDDLE, Ink.TEXT, LABEL);
    pen.textUp(18, TOP + PLOT / 2.0, yLabel, Ink.TEXT, LABEL);
    for (Curve curve : curves) {
      if (curve.line && curve.points.size() > 1) {
        pen.path(
            curve.points.stream().mapToDouble(point -> x.at(point.x)).toArray(),
            curve.points.stream().mapToDouble(point -> y.at(point.y)).toArray(),
            curve.ink,
            curve.dashed);
      }
      if (curve.dots) {
        curve.points.forEach(point -> pen.dot(x.at(point.x), y.at(point.y), curve.ink, hint(curve.name, point.hint)));
      } else if (!curve.points.isEmpty()) {
        Point last = curve.points.getLast();
        pen.text(x.at(last.x), y.at(last.y) - 7, curve.name, Pen.Anchor.END, Ink.MUTED, SMALL);
      }
    }
    legend(pen, names(), coloured().stream().map(Curve::ink).toList(), LEFT, bottom + 60);
  }
}
