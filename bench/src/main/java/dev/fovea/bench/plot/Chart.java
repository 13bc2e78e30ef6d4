package dev.fovea.bench.plot;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A plot that can be drawn. */
public abstract sealed class Chart permits LineChart, BarChart {
  static final int TITLE = 15;
  static final int LABEL = 12;
  static final int SMALL = 11;

  /** About how wide a letter of the small size is. */
  static final double LETTER = 6.3;

  private final String name;
  private final String title;

  Chart(String name, String title) {
    this.name = name;
    this.title = title;
  }

  /** A short name, for files. */
  public final String name() {
    return name;
  }

  /** What it shows. */
  public final String title() {
    return title;
  }

  abstract int width();

  abstract int height();

  abstract void paint(Pen pen);

  /** As SVG, for a page with {@link #css} in its style. */
  public final String svg() {
    return SvgPen.draw(this);
  }

  /** As a PNG file. */
  public final void png(Path file) throws IOException {
    PngPen.write(this, file);
  }

  /** The colours that SVG is drawn with, as declarations of variables. */
  public static String css(boolean dark) {
    return Ink.css(dark);
  }

  /** Names of series in a line or more, each with its colour, from this height on; blank names are left out. */
  final void legend(Pen pen, List<String> names, List<Ink> inks, double x, double y) {
    double at = x;
    double line = y;
    for (int i = 0; i < names.size(); i++) {
      double needed = 22 + LETTER * names.get(i).length() + 14;
      if (at + needed > width() - 10 && at > x) {
        at = x;
        line += 18;
      }
      pen.bar(at, line - 9, 12, 10, inks.get(i), names.get(i));
      pen.text(at + 17, line, names.get(i), Pen.Anchor.START, Ink.TEXT, SMALL);
      at += needed;
    }
  }

  /** Lines that a legend takes. */
  final int legendLines(List<String> names, double x) {
    double at = x;
    int lines = 1;
    for (String entry : names) {
      double needed = 22 + LETTER * entry.length() + 14;
      if (at + needed > width() - 10 && at > x) {
        at = x;
        lines++;
      }
      at += needed;
    }
    return lines;
  }

  static String shortened(String text, int letters) {
    return text.length() <= letters ? text : text.substring(0, letters - 1) + "…";
  }

  static String hint(@Nullable String first, String second) {
    return first == null || first.isEmpty() ? second : first + ": " + second;
  }
}
