package dev.fovea.vit.image;

import dev.fovea.vit.model.AttentionMaps;
import java.awt.Color;
import java.awt.Font;
import java.awt.FontMetrics;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * Draws attention maps over the picture that they were made of: above, the picture, the rollout and MAP pooling; below,
 * a row for each layer with its heads and their mean.
 */
public final class AttentionSheet {
  private static final int GAP = 6;
  private static final int MARGIN = 20;
  private static final int TEXT = 13;
  private static final int LINE = 22;
  private static final int LABELS = 64;
  private static final int LARGE = 240;
  private static final int WIDEST = 1700;
  private static final Color PAPER = new Color(0x16161c);
  private static final Color INK = new Color(0xd8d8e0);

  private final Picture picture;
  private final AttentionMaps maps;
  private final List<Row> rows = new ArrayList<>();

  /** A cell: a map, or the picture itself without one; and what stands over it. */
  private record Cell(String caption, @Nullable Supplier<float[]> map) {}

  /** Cells side by side. */
  private record Row(String label, int cellHeight, List<Cell> cells) {}

  /**
   * A sheet of all maps, or of some.
   *
   * @param picture as the model saw it ({@link Preprocessor#crop})
   * @param layer from 0 on; null for all
   * @param head from 0 on; null for all
   * @throws IllegalArgumentException if there is no such layer or head
   */
  public AttentionSheet(Picture picture, AttentionMaps maps, @Nullable Integer layer, @Nullable Integer head) {
    this.picture = picture;
    this.maps = maps;
    check("layer", layer, maps.layers());
    check("head", head, maps.heads());
    rows.add(overview());
    if (maps.poolHeads() > 0 && layer == null && head == null) {
      wrap("pooling", maps.poolHeads(), h -> new Cell("head " + (h + 1), () -> maps.pool(h)));
    }
    if (layer != null) {
      List<Cell> cells = new ArrayList<>(IntStream.range(0, maps.heads())
          .filter(h -> head == null || h == head)
          .mapToObj(h -> new Cell("head " + (h + 1), () -> maps.head(layer, h)))
          .toList());
      if (head == null) {
        cells.add(new Cell("mean", () -> maps.layer(layer)));
      }
      wrap("layer " + (layer + 1), cells.size(), cells::get);
    } else if (head != null) {
      wrap("head " + (head + 1), maps.layers(), l -> new Cell("layer " + (l + 1), () -> maps.head(l, head)));
    } else {
      for (int l = 0; l < maps.layers(); l++) {
        rows.add(everyHead(l));
      }
    }
  }

  private static void check(String name, @Nullable Integer index, int count) {
    if (index != null && (index < 0 || index >= count)) {
      throw new IllegalArgumentException("%s: got %d, expected 1 to %d".formatted(name, index + 1, count));
    }
  }

  private Row overview() {
    List<Cell> cells = new ArrayList<>();
    cells.add(new Cell("picture", null));
    cells.add(new Cell("rollout", maps::rollout));
    if (maps.poolHeads() > 0) {
      cells.add(new Cell("pooling, mean", maps::pool));
    }
    return new Row("", LARGE, cells);
  }

  private Row everyHead(int layer) {
    int height = fitting(maps.heads() + 1, 160);
    List<Cell> cells = new ArrayList<>();
    for (int h = 0; h < maps.heads(); h++) {
      int head = h;
      cells.add(new Cell(layer == 0 ? "head " + (h + 1) : "", () -> maps.head(layer, head)));
    }
    cells.add(new Cell(layer == 0 ? "mean" : "", () -> maps.layer(layer)));
    return new Row("layer " + (layer + 1), height, cells);
  }

  /** Cells in as many rows as they need, six in each. */
  private void wrap(String label, int count, IntFunction<Cell> cell) {
    int columns = Math.min(count, 6);
    for (int first = 0; first < count; first += columns) {
      rows.add(new Row(
          first == 0 ? label : "",
          fitting(columns, LARGE),
          IntStream.range(first, Math.min(count, first + columns))
              .mapToObj(cell)
              .toList()));
    }
  }

  /** The height of cells so that a row is not too wide. */
  private int fitting(int columns, int most) {
    int width = (WIDEST - LABELS - columns * GAP) / columns;
    return Math.max(32, Math.min(most, Math.round((float) width * picture.height() / picture.width())));
  }

  private int cellWidth(Row row) {
    return Math.max(1, Math.round((float) row.cellHeight * picture.width() / picture.height()));
  }

  private static boolean hasCaptions(Row row) {
    return row.cells.stream().anyMatch(cell -> !cell.caption.isEmpty());
  }

  private int heightOf(Row row) {
    return row.cellHeight + GAP + (hasCaptions(row) ? LINE : 0);
  }

  /** Draws it. */
  public BufferedImage draw() {
    int width = rows.stream()
        .mapToInt(row -> row.cells.size() * (cellWidth(row) + GAP))
        .max()
        .orElse(0);
    int height = rows.stream().mapToInt(this::heightOf).sum();
    BufferedImage sheet =
        new BufferedImage(width + LABELS + 2 * MARGIN, height + 2 * MARGIN, BufferedImage.TYPE_INT_RGB);
    Graphics2D graphics = sheet.createGraphics();
    graphics.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
    graphics.setColor(PAPER);
    graphics.fillRect(0, 0, sheet.getWidth(), sheet.getHeight());
    int y = MARGIN;
    for (Row row : rows) {
      draw(row, y, graphics);
      y += heightOf(row);
    }
    graphics.dispose();
    return sheet;
  }

  private void draw(Row row, int top, Graphics2D graphics) {
    int y = hasCaptions(row) ? top + LINE : top;
    int width = cellWidth(row);
    text(graphics, row.label, MARGIN, y + row.cellHeight / 2 + TEXT / 2, false);
    int x = MARGIN + LABELS;
    for (Cell cell : row.cells) {
      graphics.drawImage(image(cell, width, row.cellHeight), x, y, null);
      text(graphics, cell.caption, x + width / 2, y - 7, true);
      x += width + GAP;
    }
  }

  private BufferedImage image(Cell cell, int width, int height) {
    return cell.map == null
        ? Resize.to(width, height, picture, Interpolation.BICUBIC).toBufferedImage()
        : Heatmap.draw(picture, cell.map.get(), maps.grid().rows(), maps.grid().columns(), width, height);
  }

  /** A machine may have no fonts at all, which Java reports in many ways: the maps then stand without words. */
  private static void text(Graphics2D graphics, String text, int x, int y, boolean centered) {
    try {
      graphics.setFont(new Font(Font.SANS_SERIF, Font.PLAIN, TEXT));
      graphics.setColor(INK);
      FontMetrics metrics = graphics.getFontMetrics();
      graphics.drawString(text, centered ? x - metrics.stringWidth(text) / 2 : x, y);
    } catch (RuntimeException | InternalError | LinkageError e) {
      System.getLogger(AttentionSheet.class.getName()).log(System.Logger.Level.DEBUG, "no fonts to write with", e);
    }
  }
}
