package dev.fovea.vit.train;

import dev.fovea.tensor.Scope;
import dev.fovea.vit.data.Batch;
import dev.fovea.vit.data.Batches;
import dev.fovea.vit.data.Dataset;
import dev.fovea.vit.data.Picture;
import dev.fovea.vit.model.VisionTransformer;
import java.awt.Color;
import java.awt.Font;
import java.awt.Graphics2D;
import java.awt.RenderingHints;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import javax.imageio.ImageIO;

/** A sheet of pictures with the model's answers: right ones in green, wrong ones in red with the class beside. */
final class Samples {
  private static final int COLUMNS = 8;
  private static final int ROWS = 4;
  private static final int SIDE = 96;
  private static final int GAP = 10;
  private static final int TEXT = 18;
  private static final Color RIGHT = new Color(0x2E7D32);
  private static final Color WRONG = new Color(0xC62828);

  private Samples() {}

  static void draw(VisionTransformer model, Dataset pictures, Path file) throws IOException {
    int count = Math.min(COLUMNS * ROWS, pictures.size());
    var config = model.config();
    Batch batch = Batches.evaluation(pictures, count, config.imageHeight(), config.imageWidth())
        .batch(0);
    int[] answers;
    try (Scope scope = Scope.open(Evaluation.device(model))) {
      answers = Evaluation.answers(Evaluation.logits(model, batch));
    }
    int rows = Math.ceilDiv(count, COLUMNS);
    BufferedImage sheet =
        new BufferedImage(GAP + COLUMNS * (SIDE + GAP), GAP + rows * (SIDE + TEXT + GAP), BufferedImage.TYPE_INT_RGB);
    Graphics2D g = sheet.createGraphics();
    g.setColor(Color.WHITE);
    g.fillRect(0, 0, sheet.getWidth(), sheet.getHeight());
    g.setFont(new Font(Font.SANS_SERIF, Font.PLAIN, 11));
    g.setRenderingHint(RenderingHints.KEY_TEXT_ANTIALIASING, RenderingHints.VALUE_TEXT_ANTIALIAS_ON);
    for (int i = 0; i < count; i++) {
      int label = batch.labels()[i];
      if (label >= 0) {
        int x = GAP + i % COLUMNS * (SIDE + GAP);
        int y = GAP + i / COLUMNS * (SIDE + TEXT + GAP);
        g.drawImage(image(pictures.get(i)), x, y, SIDE, SIDE, null);
        caption(g, pictures.classes(), label, answers[i], x, y);
      }
    }
    g.dispose();
    ImageIO.write(sheet, "png", file.toFile());
  }

  private static void caption(Graphics2D g, List<String> classes, int label, int answer, int x, int y) {
    boolean right = label == answer;
    g.setColor(right ? RIGHT : WRONG);
    g.drawRect(x - 1, y - 1, SIDE + 1, SIDE + 1);
    String text = classes.get(answer) + (right ? "" : ", is " + classes.get(label));
    g.drawString(text, x, y + SIDE + TEXT - 5);
  }

  private static BufferedImage image(Picture picture) {
    BufferedImage image = new BufferedImage(picture.width(), picture.height(), BufferedImage.TYPE_INT_RGB);
    int plane = picture.height() * picture.width();
    byte[] pixels = picture.pixels();
    for (int at = 0; at < plane; at++) {
      int red = pixels[at] & 255;
      int green = pixels[at + plane * Math.min(1, picture.channels() - 1)] & 255;
      int blue = pixels[at + plane * Math.min(2, picture.channels() - 1)] & 255;
      image.setRGB(at % picture.width(), at / picture.width(), red << 16 | green << 8 | blue);
    }
    return image;
  }
}
