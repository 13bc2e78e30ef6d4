package dev.fovea.vit.train;

import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Tensor;
import dev.fovea.vit.data.Batch;
import dev.fovea.vit.data.Batches;
import dev.fovea.vit.data.Dataset;
import dev.fovea.vit.model.PatchMask;
import dev.fovea.vit.model.VitConfig;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;

/** A sheet of pictures of the validation set: as they are, what the model sees of them, and what it makes of that. */
final class Reconstructions {
  private static final int COLUMNS = 10;
  private static final int BANDS = 2;
  private static final int LEAST_SIDE = 80;
  private static final int GAP = 8;
  private static final int BAND_GAP = 22;
  private static final int MARGIN = 84;
  private static final Color PAPER = Color.WHITE;
  private static final Color INK = new Color(0x555555);
  private static final Color HIDDEN = new Color(0xE4E4E8);
  private static final Color HIDDEN_LINE = new Color(0xD3D3DA);
  private static final String[] LABELS = {"picture", "seen", "filled in"};

  private Reconstructions() {}

  static void draw(Reconstruction objective, Dataset pictures, Path file) throws IOException {
    int count = Math.min(COLUMNS * BANDS, pictures.size());
    VitConfig vit = objective.model().config();
    Batch batch =
        Batches.evaluation(pictures, count, vit.imageHeight(), vit.imageWidth()).batch(0);
    PatchMask mask = objective.validationMask(0, count);
    float[] filled;
    try (Scope scope = Scope.open(Evaluation.device(objective.model()))) {
      Tensor pixels = Evaluation.pixels(objective.model(), batch);
      filled = objective.masked().fill(pixels, mask);
    }
    new Sheet(vit, count).draw(batch.pixels(), filled, mask, file);
  }

  /** Where everything lies. */
  private static final class Sheet {
    private final VitConfig vit;
    private final int count;
    private final int scale;
    private final int width;
    private final int height;

    Sheet(VitConfig vit, int count) {
      this.vit = vit;
      this.count = count;
      scale = Math.max(1, Math.ceilDiv(LEAST_SIDE, Math.max(vit.imageHeight(), vit.imageWidth())));
      width = vit.imageWidth() * scale;
      height = vit.imageHeight() * scale;
    }

    void draw(float[] pixels, float[] filled, PatchMask mask, Path file) throws IOException {
      int bands = Math.ceilDiv(count, COLUMNS);
      int columns = Math.min(COLUMNS, count);
      BufferedImage sheet = new BufferedImage(
          MARGIN + columns * (width + GAP) + GAP,
          GAP + bands * (LABELS.length * (height + GAP)) + (bands - 1) * BAND_GAP,
          BufferedImage.TYPE_INT_RGB);
      Graphics2D g = sheet.createGraphics();
      g.setColor(PAPER);
      g.fillRect(0, 0, sheet.getWidth(), sheet.getHeight());
      g.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
      g.setFont(new Font(Font.SANS_SERIF, Font.PLAIN, 13));
      for (int i = 0; i < count; i++) {
        int x = MARGIN + i % COLUMNS * (width + GAP);
        int band = GAP + i / COLUMNS * (LABELS.length * (height + GAP) + BAND_GAP);
        for (int row = 0; row < LABELS.length; row++) {
          int y = band + row * (height + GAP);
          if (i % COLUMNS == 0) {
            g.setColor(INK);
            g.drawString(LABELS[row], MARGIN - 12 - g.getFontMetrics().stringWidth(LABELS[row]), y + height / 2 + 4);
          }
          g.drawImage(image(row == 2 ? filled : pixels, i), x, y, width, height, null);
        }
        hide(g, mask, i, x, band + height + GAP);
      }
      g.dispose();
      Png.write(sheet, file);
    }

    private void hide(Graphics2D g, PatchMask mask, int picture, int left, int top) {
      int each = mask.hiddenCount();
      int[] hidden = mask.hidden();
      int patchWidth = vit.patchWidth() * scale;
      int patchHeight = vit.patchHeight() * scale;
      for (int i = picture * each; i < (picture + 1) * each; i++) {
        int patch = hidden[i] % mask.patches();
        int x = left + patch % vit.gridColumns() * patchWidth;
        int y = top + patch / vit.gridColumns() * patchHeight;
        g.setColor(HIDDEN);
        g.fillRect(x, y, patchWidth, patchHeight);
        g.setColor(HIDDEN_LINE);
        g.drawRect(x, y, patchWidth - 1, patchHeight - 1);
      }
    }

    private BufferedImage image(float[] pixels, int picture) {
      BufferedImage image = new BufferedImage(vit.imageWidth(), vit.imageHeight(), BufferedImage.TYPE_INT_RGB);
      int plane = vit.imageHeight() * vit.imageWidth();
      int first = picture * vit.channels() * plane;
      for (int at = 0; at < plane; at++) {
        int color = 0;
        for (int c = 0; c < 3; c++) {
          float value = pixels[first + Math.min(c, vit.channels() - 1) * plane + at];
          color = color << 8 | Math.clamp(Math.round((value + 1) * 127.5), 0, 255);
        }
        image.setRGB(at % vit.imageWidth(), at / vit.imageWidth(), color);
      }
      return image;
    }
  }
}
