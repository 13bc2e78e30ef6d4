package dev.fovea.bench.plot;

import java.util.Locale;

/** Writes SVG for a page that defines the {@linkplain Ink#css colours}. */
final class SvgPen implements Pen {
  private final StringBuilder svg = new StringBuilder();

  static String draw(Chart chart) {
    SvgPen pen = new SvgPen();
    chart.paint(pen);
    return "<svg viewBox=\"0 0 %d %d\" width=\"%d\" role=\"img\" aria-label=\"%s\">\n%s</svg>\n"
        .formatted(chart.width(), chart.height(), chart.width(), escape(chart.title()), pen.svg);
  }

  static String escape(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\"", "&quot;");
  }

  @Override
  public void line(double x1, double y1, double x2, double y2, Ink ink, double width) {
    svg.append(String.format(
        Locale.ROOT,
        "<line x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\" style=\"stroke:var(--%s);stroke-width:%.1f\"/>\n",
        x1,
        y1,
        x2,
        y2,
        ink.name(),
        width));
  }

  @Override
  public void path(double[] xs, double[] ys, Ink ink, boolean dashed) {
    svg.append("<polyline points=\"");
    for (int i = 0; i < xs.length; i++) {
      svg.append(String.format(Locale.ROOT, "%s%.1f,%.1f", i == 0 ? "" : " ", xs[i], ys[i]));
    }
    svg.append(String.format(
        Locale.ROOT,
        "\" style=\"fill:none;stroke:var(--%s);stroke-width:2%s\"/>\n",
        ink.name(),
        dashed ? ";stroke-dasharray:5 4" : ""));
  }

  @Override
  public void bar(double x, double y, double width, double height, Ink ink, String hint) {
    svg.append(String.format(
        Locale.ROOT,
        "<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" rx=\"1.5\" style=\"fill:var(--%s)\">"
            + "<title>%s</title></rect>\n",
        x,
        y,
        width,
        height,
        ink.name(),
        escape(hint)));
  }

  @Override
  public void dot(double x, double y, Ink ink, String hint) {
    svg.append(String.format(
        Locale.ROOT,
        "<circle cx=\"%.1f\" cy=\"%.1f\" r=\"4\" style=\"fill:var(--%s)\"><title>%s</title></circle>\n",
        x,
        y,
        ink.name(),
        escape(hint)));
  }

  @Override
  public void text(double x, double y, String text, Anchor anchor, Ink ink, int size) {
    svg.append(String.format(
        Locale.ROOT,
        "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\" style=\"fill:var(--%s);font-size:%dpx\">%s</text>\n",
        x,
        y,
        anchor.name().toLowerCase(Locale.ROOT),
        ink.name(),
        size,
        escape(text)));
  }

  @Override
  public void textUp(double x, double y, String text, Ink ink, int size) {
    svg.append(String.format(
        Locale.ROOT,
        "<text transform=\"translate(%.1f %.1f) rotate(-90)\" text-anchor=\"middle\""
            + " style=\"fill:var(--%s);font-size:%dpx\">%s</text>\n",
        x,
        y,
        ink.name(),
        size,
        escape(text)));
  }
}
