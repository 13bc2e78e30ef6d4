package dev.fovea.vit.image;

import dev.fovea.vit.model.AttentionMaps;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;

/** Where a model looks in several pictures: a row for each, with its rollout and the means of some layers' heads. */
public final class AttentionGallery {
  private static final int CELL = 112;
  private static final int GAP = 10;
  private static final int MARGIN = 24;
  private static final int LABELS = 120;
  private static final int TITLE = 40;
  private static final int HEADS = 24;
  private static final int LAYERS = 6;
  private static final Color INK = new Color(0x333333);
  private static final Color PALE = new Color(0x777777);

  /** Kinds of text with their sizes. */
  private enum Style {
    TITLE(17),
    NOTE(13),
    HEADING(13),
    NAME(14);

    private final int size;

    Style(int size) {
      this.size = size;
    }
  }

  private final List<Row> rows;
  private final int[] layers;
  private final boolean pools;

  /**
   * A picture.
   *
   * @param name what it shows
   * @param picture as the model saw it
   * @param maps of it
   */
  public record Row(String name, Picture picture, AttentionMaps maps) {}

  /** A gallery of at least one picture, all of one model. */
  public AttentionGallery(List<Row> rows) {
    if (rows.isEmpty()) {
      throw new IllegalArgumentException("rows: got none, expected at least one picture");
    }
    this.rows = List.copyOf(rows);
    AttentionMaps first = rows.getFirst().maps;
    int shown = Math.min(LAYERS, first.layers());
    layers = IntStream.range(0, shown)
        .map(i -> shown == 1 ? 0 : Math.round((float) i * (first.layers() - 1) / (shown - 1)))
        .toArray();
    pools = first.poolHeads() > 0;
  }

  private List<String> headings() {
    List<String> all = new ArrayList<>(List.of("picture", "all layers"));
    for (int layer : layers) {
      all.add("layer " + (layer + 1));
    }
    if (pools) {
      all.add("pooling");
    }
    return all;
  }

  private List<float[]> maps(AttentionMaps maps) {
    List<float[]> all = new ArrayList<>();
    all.add(maps.rollout());
    for (int layer : layers) {
      all.add(maps.layer(layer));
    }
    if (pools) {
      all.add(maps.pool());
    }
    return all;
  }

  /** Draws it. */
  public BufferedImage draw() {
    List<String> headings = headings();
    int width = Math.max(560, 2 * MARGIN + LABELS + headings.size() * (CELL + GAP) - GAP);
    int height = 2 * MARGIN + TITLE + HEADS + rows.size() * (CELL + GAP) - GAP;
    BufferedImage sheet = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
    Graphics2D g = sheet.createGraphics();
    g.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
    g.setColor(Color.WHITE);
    g.fillRect(0, 0, width, height);
    text(g, "Where the model looks", MARGIN, MARGIN + 14, Style.TITLE);
    text(g, "bright: much attention; heads averaged", MARGIN + 230, MARGIN + 14, Style.NOTE);
    int top = MARGIN + TITLE + HEADS;
    for (int i = 0; i < headings.size(); i++) {
      text(g, headings.get(i), x(i) + CELL / 2, top - 9, Style.HEADING);
    }
    for (int r = 0; r < rows.size(); r++) {
      Row row = rows.get(r);
      int y = top + r * (CELL + GAP);
      text(g, row.name, MARGIN, y + CELL / 2 + 5, Style.NAME);
      g.drawImage(Resize.to(CELL, CELL, row.picture, Interpolation.BICUBIC).toBufferedImage(), x(0), y, null);
      List<float[]> maps = maps(row.maps);
      for (int i = 0; i < maps.size(); i++) {
        var grid = row.maps.grid();
        g.drawImage(Heatmap.draw(row.picture, maps.get(i), grid.rows(), grid.columns(), CELL, CELL), x(i + 1), y, null);
      }
    }
    g.dispose();
    return sheet;
  }

  private static int x(int column) {
    return MARGIN + LABELS + column * (CELL + GAP);
  }

  /** As much of a name as there is room for beside a picture. */
  private static String fitting(Graphics2D g, String name) {
    String part = name;
    while (part.length() > 2 && g.getFontMetrics().stringWidth(part) > LABELS - GAP) {
      part = part.substring(0, part.length() - 2).stripTrailing() + "…";
    }
    return part;
  }

  /** A machine may have no fonts at all, which Java reports in many ways: the maps then stand without words. */
  private static void text(Graphics2D g, String text, int x, int y, Style style) {
    try {
      g.setFont(new Font(Font.SANS_SERIF, style == Style.TITLE ? Font.BOLD : Font.PLAIN, style.size));
      g.setColor(style == Style.NOTE ? PALE : INK);
      String shown = style == Style.NAME ? fitting(g, text) : text;
      int left = style == Style.HEADING ? x - g.getFontMetrics().stringWidth(shown) / 2 : x;
      g.drawString(shown, left, y);
    } catch (RuntimeException | InternalError | LinkageError e) {
      System.getLogger(AttentionGallery.class.getName()).log(System.Logger.Level.DEBUG, "no fonts to write with", e);
    }
  }
}
