package dev.fovea.vit.train;

import dev.fovea.tensor.Scope;
import dev.fovea.vit.data.Batch;
import dev.fovea.vit.data.Batches;
import dev.fovea.vit.data.Dataset;
import dev.fovea.vit.data.LabelledPicture;
import dev.fovea.vit.image.AttentionGallery;
import dev.fovea.vit.image.Picture;
import dev.fovea.vit.model.VisionTransformer;
import java.awt.BasicStroke;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Pictures of the validation set: with the model's answers, and with where it looks. */
final class SampleSheet {
  private static final int COLUMNS = 8;
  private static final int ROWS = 4;
  private static final int SIDE = 104;
  private static final int GAP = 14;
  private static final int MARGIN = 24;
  private static final int TITLE = 40;
  private static final int LINE = 16;
  private static final int LOOKS = 8;
  private static final Color INK = new Color(0x333333);
  private static final Color PALE = new Color(0x777777);
  private static final Color RIGHT = new Color(0x2E7D32);
  private static final Color WRONG = new Color(0xC62828);

  private SampleSheet() {}

  /** A sheet of pictures with answers: right ones in green, wrong ones in red with the class below. */
  static void draw(VisionTransformer model, Dataset pictures, Evaluation evaluation, Path file) throws IOException {
    Dataset some = Spread.of(pictures, COLUMNS * ROWS);
    var config = model.config();
    Batch batch = Batches.evaluation(some, some.size(), config.imageHeight(), config.imageWidth())
        .batch(0);
    int[] answers;
    try (Scope scope = Scope.open(Evaluation.device(model))) {
      answers = Evaluation.answers(Evaluation.logits(model, batch));
    }
    int rows = Math.ceilDiv(some.size(), COLUMNS);
    BufferedImage sheet = new BufferedImage(
        2 * MARGIN + COLUMNS * (SIDE + GAP) - GAP,
        2 * MARGIN + TITLE + rows * (SIDE + 2 * LINE + GAP) - GAP,
        BufferedImage.TYPE_INT_RGB);
    Graphics2D g = sheet.createGraphics();
    g.setColor(Color.WHITE);
    g.fillRect(0, 0, sheet.getWidth(), sheet.getHeight());
    g.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
    g.setColor(INK);
    g.setFont(new Font(Font.SANS_SERIF, Font.BOLD, 17));
    g.drawString("What the model answers", MARGIN, MARGIN + LINE);
    g.setColor(PALE);
    g.setFont(new Font(Font.SANS_SERIF, Font.PLAIN, 13));
    g.drawString(
        "%.1f %% of the validation pictures are right".formatted(100 * evaluation.accuracy()),
        MARGIN + 250,
        MARGIN + LINE);
    for (int i = 0; i < some.size(); i++) {
      int label = batch.labels()[i];
      if (label >= 0) {
        int x = MARGIN + i % COLUMNS * (SIDE + GAP);
        int y = MARGIN + TITLE + i / COLUMNS * (SIDE + 2 * LINE + GAP);
        g.drawImage(image(some.get(i)).toBufferedImage(), x, y, SIDE, SIDE, null);
        caption(g, some.classes(), label, answers[i], x, y);
      }
    }
    g.dispose();
    Png.write(sheet, file);
  }

  private static void caption(Graphics2D g, List<String> classes, int label, int answer, int x, int y) {
    boolean right = label == answer;
    g.setColor(right ? RIGHT : WRONG);
    g.setStroke(new BasicStroke(right ? 1 : 3));
    g.drawRect(x - 1, y - 1, SIDE + 1, SIDE + 1);
    g.drawString(fitting(g, classes.get(answer)), x, y + SIDE + LINE);
    if (!right) {
      g.drawString(fitting(g, "is " + classes.get(label)), x, y + SIDE + 2 * LINE);
    }
  }

  /** As much of a text as there is room for under a picture. */
  private static String fitting(Graphics2D g, String text) {
    String part = text;
    while (part.length() > 2 && g.getFontMetrics().stringWidth(part) > SIDE) {
      part = part.substring(0, part.length() - 2).stripTrailing() + "…";
    }
    return part;
  }

  /** Where the model looks in pictures of several classes. */
  static void attention(VisionTransformer model, Dataset pictures, Path file) throws IOException {
    var config = model.config();
    Dataset some = Spread.of(pictures, LOOKS);
    Batches batches = Batches.evaluation(some, 1, config.imageHeight(), config.imageWidth());
    List<AttentionGallery.Row> rows = new ArrayList<>();
    for (int i = 0; i < some.size(); i++) {
      Batch batch = batches.batch(i);
      int label = batch.labels()[0];
      if (label >= 0) {
        try (Scope scope = Scope.open(Evaluation.device(model))) {
          var maps = model.attention(Evaluation.pixels(model, batch));
          rows.add(new AttentionGallery.Row(some.classes().get(label), image(some.get(i)), maps));
        }
      }
    }
    if (!rows.isEmpty()) {
      Png.write(new AttentionGallery(rows).draw(), file);
    }
  }

  private static Picture image(LabelledPicture picture) {
    int plane = picture.height() * picture.width();
    byte[] pixels = picture.pixels();
    byte[] rgb = new byte[3 * plane];
    for (int at = 0; at < plane; at++) {
      for (int c = 0; c < 3; c++) {
        rgb[3 * at + c] = pixels[at + plane * Math.min(c, picture.channels() - 1)];
      }
    }
    return Picture.of(picture.width(), picture.height(), rgb);
  }
}
