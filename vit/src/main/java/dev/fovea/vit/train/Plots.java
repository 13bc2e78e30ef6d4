package dev.fovea.vit.train;

import com.fasterxml.jackson.databind.JsonNode;
import java.awt.BasicStroke;
import java.awt.Color;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.knowm.xchart.HeatMapChart;
import org.knowm.xchart.HeatMapChartBuilder;
import org.knowm.xchart.XYChart;
import org.knowm.xchart.XYChartBuilder;
import org.knowm.xchart.XYSeries;
import org.knowm.xchart.style.Styler.LegendLayout;
import org.knowm.xchart.style.Styler.LegendPosition;
import org.knowm.xchart.style.lines.SeriesLines;
import org.knowm.xchart.style.markers.SeriesMarkers;

/** Curves and tables as PNG. */
final class Plots {
  private static final Color TRAINING = new Color(0x7A9CC6);
  private static final Color VALIDATION = new Color(0xC8553D);
  private static final Color INK = new Color(0x333333);
  private static final Color GRID = new Color(0xE6E6E6);
  private static final Color LIGHT = new Color(0xC9DAEE);
  private static final int POINTS = 400;

  private Plots() {}

  /** Loss by step, and accuracy where classes are learned. */
  static void curves(List<JsonNode> lines, Path file) throws IOException {
    if (lines.isEmpty()) {
      return;
    }
    XYChart loss = chart("Loss");
    XYChart accuracy = chart("Accuracy");
    add(loss, "training", lines, "loss", TRAINING, true);
    add(loss, "validation", lines, "val_loss", VALIDATION, false);
    add(accuracy, "training", lines, "accuracy", TRAINING, true);
    add(accuracy, "validation", lines, "val_accuracy", VALIDATION, false);
    loss.getStyler().setYAxisMin(0.0);
    accuracy.getStyler().setYAxisMin(0.0).setYAxisMax(1.0);
    List<XYChart> charts = lines.getFirst().has("accuracy") ? List.of(loss, accuracy) : List.of(loss);
    Png.write(charts, file);
  }

  private static XYChart chart(String title) {
    XYChart chart = new XYChartBuilder()
        .width(560)
        .height(400)
        .title(title)
        .xAxisTitle("step")
        .build();
    var style = chart.getStyler();
    style.setChartBackgroundColor(Color.WHITE);
    style.setChartFontColor(INK);
    style.setChartTitleBoxVisible(false);
    style.setPlotBorderVisible(false);
    style.setPlotGridLinesColor(GRID);
    style.setLegendBorderColor(Color.WHITE);
    style.setLegendPosition(LegendPosition.OutsideS);
    style.setXAxisDecimalPattern("0");
    style.setLegendLayout(LegendLayout.Horizontal);
    return chart;
  }

  /** One curve; a noisy one as means over stretches of steps. */
  private static void add(XYChart chart, String name, List<JsonNode> lines, String field, Color color, boolean noisy) {
    List<JsonNode> points =
        lines.stream().filter(line -> line.path(field).isNumber()).toList();
    if (points.isEmpty()) {
      return;
    }
    int stretch = noisy ? Math.max(1, Math.ceilDiv(points.size(), POINTS / 4)) : Math.ceilDiv(points.size(), POINTS);
    List<Double> x = new ArrayList<>();
    List<Double> y = new ArrayList<>();
    for (int first = 0; first < points.size(); first += stretch) {
      List<JsonNode> part = points.subList(first, Math.min(points.size(), first + stretch));
      x.add(part.stream().mapToDouble(p -> p.path("step").asDouble()).average().orElse(0));
      y.add(part.stream().mapToDouble(p -> p.path(field).asDouble()).average().orElse(0));
    }
    XYSeries series = chart.addSeries(name, x, y);
    series.setLineColor(color);
    series.setLineStyle(new BasicStroke(2));
    series.setMarker(noisy ? SeriesMarkers.NONE : SeriesMarkers.CIRCLE);
    series.setMarkerColor(color);
    if (points.size() == 1) {
      series.setLineStyle(SeriesLines.NONE);
    }
  }

  /** Which classes are taken for which. */
  static void confusion(int[][] counts, List<String> classes, Path file) throws IOException {
    int n = classes.size();
    HeatMapChart chart = new HeatMapChartBuilder()
        .width(Math.clamp(220 + 46L * n, 420, 1600))
        .height(Math.clamp(180 + 40L * n, 380, 1500))
        .title("Which class is taken for which")
        .xAxisTitle("answer")
        .yAxisTitle("class")
        .build();
    var style = chart.getStyler();
    style.setChartBackgroundColor(Color.WHITE);
    style.setChartTitleBoxVisible(false);
    style.setLegendVisible(false);
    style.setPlotBorderVisible(false);
    style.setShowValue(n <= 20);
    style.setHeatMapValueDecimalPattern("0");
    style.setRangeColors(new Color[] {Color.WHITE, LIGHT, TRAINING});
    style.setXAxisLabelRotation(n > 6 ? 45 : 0);
    style.setXAxisMaxLabelCount(n);
    style.setAxisTickPadding(8);
    style.setYAxisTickMarkSpacingHint(10);
    style.setXAxisTickMarkSpacingHint(10);
    style.setPlotGridLinesVisible(false);
    List<Number[]> cells = new ArrayList<>();
    IntStream.range(0, n)
        .forEach(label -> IntStream.range(0, n)
            .forEach(answer -> cells.add(new Number[] {answer, n - 1 - label, counts[label][answer]})));
    chart.addSeries("pictures", classes, classes.reversed(), cells);
    int most = Arrays.stream(counts).flatMapToInt(Arrays::stream).max().orElse(1);
    style.setMin(0);
    style.setMax(Math.max(1, most));
    Png.write(List.of(chart), file);
  }
}
