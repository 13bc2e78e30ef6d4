package dev.fovea.bench.plot;

import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.geom.AffineTransform;
import java.awt.geom.Ellipse2D;
import java.awt.geom.Line2D;
import java.awt.geom.Path2D;
import java.awt.geom.RoundRectangle2D;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import javax.imageio.ImageIO;

/** Paints a picture on white, with two pixels for one. */
final class PngPen implements Pen {
  private static final int SCALE = 2;
  private static final double RADIUS = 4;

  private final Graphics2D graphics;

  private PngPen(Graphics2D graphics) {
    this.graphics = graphics;
  }

  static void write(Chart chart, Path file) throws IOException {
    BufferedImage image = new BufferedImage(SCALE * chart.width(), SCALE * chart.height(), BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = image.createGraphics();
    graphics.setRenderingHint(RenderingHints.KEY_ANTIALIASING, RenderingHints.VALUE_ANTIALIAS_ON);
    graphics.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
    graphics.setRenderingHint(RenderingHints.KEY_STROKE_CONTROL, RenderingHints.VALUE_STROKE_PURE);
    graphics.setColor(Color.WHITE);
    graphics.fillRect(0, 0, image.getWidth(), image.getHeight());
    graphics.scale(SCALE, SCALE);
    chart.paint(new PngPen(graphics));
    graphics.dispose();
    ImageIO.write(image, "png", file.toFile());
  }

  @Override
  public void line(double x1, double y1, double x2, double y2, Ink ink, double width) {
    graphics.setColor(ink.light());
    graphics.setStroke(new BasicStroke((float) width));
    graphics.draw(new Line2D.Double(x1, y1, x2, y2));
  }

  @Override
  public void path(double[] xs, double[] ys, Ink ink, boolean dashed) {
    Path2D path = new Path2D.Double();
    path.moveTo(xs[0], ys[0]);
    for (int i = 1; i < xs.length; i++) {
      path.lineTo(xs[i], ys[i]);
    }
    graphics.setColor(ink.light());
    graphics.setStroke(
        dashed
            ? new BasicStroke(2, BasicStroke.CAP_BUTT, BasicStroke.JOIN_ROUND, 10, new float[] {5, 4}, 0)
            : new BasicStroke(2, BasicStroke.CAP_ROUND, BasicStroke.JOIN_ROUND));
    graphics.draw(path);
  }

  @Override
  public void bar(double x, double y, double width, double height, Ink ink, String hint) {
    graphics.setColor(ink.light());
    graphics.fill(new RoundRectangle2D.Double(x, y, width, height, 3, 3));
  }

  @Override
  public void dot(double x, double y, Ink ink, String hint) {
    graphics.setColor(ink.light());
    graphics.fill(new Ellipse2D.Double(x - RADIUS, y - RADIUS, 2 * RADIUS, 2 * RADIUS));
  }

  @Override
  public void text(double x, double y, String text, Anchor anchor, Ink ink, int size) {
    graphics.setColor(ink.light());
    graphics.setFont(new Font(Font.SANS_SERIF, Font.PLAIN, size));
    double width = graphics.getFontMetrics().getStringBounds(text, graphics).getWidth();
    double shift = anchor == Anchor.START ? 0 : anchor == Anchor.MIDDLE ? width / 2 : width;
    graphics.drawString(text, (float) (x - shift), (float) y);
  }

  @Override
  public void textUp(double x, double y, String text, Ink ink, int size) {
    AffineTransform before = graphics.getTransform();
    graphics.translate(x, y);
    graphics.rotate(-Math.PI / 2);
    text(0, 0, text, Anchor.MIDDLE, ink, size);
    graphics.setTransform(before);
  }
}
