package dev.fovea.vit.scaling;

import java.awt.BasicStroke;
import java.awt.Color;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import org.knowm.xchart.BitmapEncoder;
import org.knowm.xchart.BitmapEncoder.BitmapFormat;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler.LegendLayout;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.lines.SeriesLines;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Pictures of scaling laws as PNG, both axes logarithmic. */
public final class ScalingPlots {
  private static final Color RUNS = new Color(0xC8553D);
  private static final Color LAW = new Color(0x1F4E79);
  private static final Color BAND = new Color(0x7A9CC6);
  private static final Color INK = new Color(0x333333);
  private static final Color GRID = new Color(0xE6E6E6);
  private static final Color[] BY_COMPUTE = {
    new Color(0x7A9CC6),
    new Color(0x1F4E79),
    new Color(0xE0A458),
    new Color(0xC8553D),
    new Color(0x6A994E),
    new Color(0x7D5BA6)
  };
  private static final int POINTS = 120;

  /** What titles, legends and labels take of a chart, and what a label needs of an axis: pixels. */
  private static final int MARGIN_X = 110;

  private static final int MARGIN_Y = 130;
  private static final int ROOM_X = 46;
  private static final int ROOM_Y = 22;
  private static final double BEYOND = 0.05;

  private ScalingPlots() {}

  /**
   * Runs, the law with its confidence, and the error that stays.
   *
   * @param most the largest compute to draw the law for; at least that of the runs is drawn
   */
  public static void write(PowerLawFit fit, double most, OutputStream out) throws IOException {
    double[] runs = fit.compute();
    double low = Arrays.stream(runs).min().orElseThrow();
    double high = Math.max(most, Arrays.stream(runs).max().orElseThrow());
    PowerLaw law = fit.law();
    String title = "E = %.3g (C + %.3g)^-%.3g + %.3g".formatted(law.a(), law.d(), law.b(), law.c());
    XYChart chart = chart(title, 760, 520, "compute", "error");
    double[] x = between(low, high);
    List<Interval> band = Arrays.stream(x)
        .mapToObj(compute -> fit.interval(any -> any.at(compute)))
        .toList();
    line(
        chart,
        "%.3g %% confidence".formatted(100 * fit.confidence()).replace(".0 ", " "),
        x,
        band.stream().mapToDouble(Interval::low).toArray(),
        BAND,
        1);
    line(chart, "upper", x, band.stream().mapToDouble(Interval::high).toArray(), BAND, 1)
        .setShowInLegend(false);
    line(chart, "law", x, Arrays.stream(x).map(law::at).toArray(), LAW, 2);
    if (law.c() > 0) {
      double c = law.c();
      XYSeries floor = line(chart, "c = %.3g".formatted(c), new double[] {low, high}, new double[] {c, c}, INK, 1);
      floor.setLineStyle(SeriesLines.DASH_DASH);
    }
    points(chart, "runs", runs, fit.error(), RUNS);
    save(List.of(chart), out);
  }

  /** A chart for each dimension: error by size, a curve for each compute, and where its least is. */
  public static void write(ShapeLawFit fit, OutputStream out) throws IOException {
    List<XYChart> charts = new ArrayList<>();
    for (Shape.Dimension dimension : Shape.Dimension.values()) {
      charts.add(chart(dimension, fit.law(dimension), fit.sweep().arm(dimension)));
    }
    save(charts, out);
  }

  private static XYChart chart(Shape.Dimension dimension, ShapeLaw law, List<StarSweep.Run> arm) {
    String name = dimension.name().toLowerCase(Locale.ROOT);
    XYChart chart = chart("%s, s = %.3g".formatted(name, law.exponent()), 480, 460, name, "error");
    double[] sizes = arm.stream().mapToDouble(StarSweep.Run::size).toArray();
    double low = Arrays.stream(sizes).min().orElseThrow();
    double high = Arrays.stream(sizes).max().orElseThrow();
    double[] x = between(low, high);
    double[] computes = drawn(
        arm.stream().mapToDouble(StarSweep.Run::compute).sorted().distinct().toArray());
    for (int k = 0; k < computes.length; k++) {
      double compute = computes[k];
      line(
          chart,
          "%.2g".formatted(compute),
          x,
          Arrays.stream(x).map(size -> law.at(size, compute)).toArray(),
          BY_COMPUTE[k],
          2);
    }
    double[] errors = arm.stream().mapToDouble(StarSweep.Run::error).toArray();
    points(chart, "runs", sizes, errors, INK).setShowInLegend(false);
    double[] inside = Arrays.stream(computes)
        .filter(compute -> law.optimum(compute) >= low && law.optimum(compute) <= high)
        .toArray();
    if (inside.length > 0) {
      double[] best = Arrays.stream(inside).map(law::optimum).toArray();
      double[] least = Arrays.stream(inside)
          .map(compute -> law.at(law.optimum(compute), compute))
          .toArray();
      points(chart, "least", best, least, RUNS).setMarker(SeriesMarkers.DIAMOND);
    }
    return chart;
  }

  /** At most as many as there are colours, spread over all. */
  private static double[] drawn(double[] computes) {
    int most = BY_COMPUTE.length;
    return computes.length <= most
        ? computes
        : IntStream.range(0, most)
            .mapToDouble(i -> computes[i * (computes.length - 1) / (most - 1)])
            .toArray();
  }

  private static double[] between(double low, double high) {
    return IntStream.range(0, POINTS)
        .mapToDouble(i -> low * Math.pow(high / low, i / (POINTS - 1.0)))
        .toArray();
  }

  private static XYSeries line(XYChart chart, String name, double[] x, double[] y, Color color, float width) {
    XYSeries series = chart.addSeries(name, x, y);
    series.setLineColor(color);
    series.setLineStyle(new BasicStroke(width));
    series.setMarker(SeriesMarkers.NONE);
    return series;
  }

  private static XYSeries points(XYChart chart, String name, double[] x, double[] y, Color color) {
    XYSeries series = chart.addSeries(name, x, y);
    series.setLineStyle(SeriesLines.NONE);
    series.setMarker(SeriesMarkers.CIRCLE);
    series.setMarkerColor(color);
    return series;
  }

  private static XYChart chart(String title, int width, int height, String x, String y) {
    XYChart chart = new XYChartBuilder()
        .width(width)
        .height(height)
        .title(title)
        .xAxisTitle(x)
        .yAxisTitle(y)
        .build();
    var style = chart.getStyler();
    style.setXAxisLogarithmic(true);
    style.setYAxisLogarithmic(true);
    style.setXAxisLogarithmicDecadeOnly(false);
    style.setYAxisLogarithmicDecadeOnly(false);
    style.setChartBackgroundColor(Color.WHITE);
    style.setChartFontColor(INK);
    style.setChartTitleBoxVisible(false);
    style.setPlotBorderVisible(false);
    style.setPlotGridLinesColor(GRID);
    style.setLegendBorderColor(Color.WHITE);
    style.setLegendPosition(LegendPosition.OutsideS);
    style.setLegendLayout(LegendLayout.Horizontal);
    style.setMarkerSize(7);
    return chart;
  }

  /** Labels the ticks, of which there may be more than fit. */
  private static void label(XYChart chart) {
    var series = chart.getSeriesCollection();
    double left = series.stream().mapToDouble(XYSeries::getXMin).min().orElse(1);
    double right = series.stream().mapToDouble(XYSeries::getXMax).max().orElse(10);
    double low = series.stream().mapToDouble(XYSeries::getYMin).min().orElse(1);
    double high = series.stream().mapToDouble(XYSeries::getYMax).max().orElse(10);
    var style = chart.getStyler();
    style.setXAxisTickLabelsFormattingFunction(ticks(left, right, chart.getWidth() - MARGIN_X, ROOM_X));
    style.setYAxisTickLabelsFormattingFunction(ticks(low, high, chart.getHeight() - MARGIN_Y, ROOM_Y));
  }

  /** Of an axis that goes on a little where its data ends. */
  private static LogTicks ticks(double low, double high, int pixels, int room) {
    double more = Math.pow(high / low, BEYOND);
    return new LogTicks(low / more, high * more, pixels, room);
  }

  private static void save(List<XYChart> charts, OutputStream out) throws IOException {
    charts.forEach(ScalingPlots::label);
    BitmapEncoder.saveBitmap(charts, 1, charts.size(), out, BitmapFormat.PNG);
  }
}
