package dev.fovea.bench.kernel;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A size named after a model of the papers: {@code "B/16 8x197"} is what ViT-B/16 works on for eight pictures of 197
 * tokens, and {@code "B/16 8x197 fc1"} its first layer of the MLP.
 *
 * @param model with its patch size, of those that {@link Shapes} lists
 * @param batch pictures
 * @param tokens of each picture
 * @param width of a token
 * @param mlp width inside the MLP
 * @param heads of attention
 * @param part the word behind, or the empty text
 */
public record PaperShape(String model, int batch, int tokens, int width, int mlp, int heads, String part) {
  private static final Pattern NAME = Pattern.compile("(\\S+) (\\d+)x(\\d+)(?: (\\S+))?");

  /**
   * Reads a name.
   *
   * @throws IllegalArgumentException if it is none, or of a model that is not known
   */
  public static PaperShape of(String name) {
    Matcher match = NAME.matcher(name);
    if (!match.matches()) {
      throw new IllegalArgumentException("shape: got %s, expected one such as B/16 8x197".formatted(name));
    }
    Shapes.Model model = Shapes.model(match.group(1));
    return new PaperShape(
        match.group(1),
        Integer.parseInt(match.group(2)),
        Integer.parseInt(match.group(3)),
        model.width(),
        model.mlp(),
        model.heads(),
        match.group(4) == null ? "" : match.group(4));
  }

  /** Tokens of all pictures. */
  public int rows() {
    return batch * tokens;
  }

  /** Width of one head. */
  public int headWidth() {
    return width / heads;
  }
}
