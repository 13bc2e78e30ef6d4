package dev.fovea.bench.plot;

/** Draws in pixels from the upper left corner. Hints are shown where a mouse rests, if the medium has mice. */
interface Pen {
  /** Where a text stands to its point. */
  enum Anchor {
    START,
    MIDDLE,
    END
  }

  void line(double x1, double y1, double x2, double y2, Ink ink, double width);

  void path(double[] xs, double[] ys, Ink ink, boolean dashed);

  void bar(double x, double y, double width, double height, Ink ink, String hint);

  void dot(double x, double y, Ink ink, String hint);

  void text(double x, double y, String text, Anchor anchor, Ink ink, int size);

  /** Upwards, around the point. */
  void textUp(double x, double y, String text, Ink ink, int size);
}
