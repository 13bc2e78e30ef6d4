package dev.fovea.vit.train;

import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.annotation.JsonNaming;
import dev.fovea.vit.model.VitConfig;
import java.util.List;

/**
 * What is made of a model that is there already.
 *
 * @param model its folder or file; empty for a model made anew
 * @param imageSize height and width of the pictures that it is to take, positions being resampled; 0 for its own
 * @param trainOnly which parameters are trained
 * @param layerDecay factor of the learning rate from each layer to the one before it, 1 for none (Clark et al., 2020):
 *     the classifier and the last norm have the whole rate, the embedding {@code layerDecay^(depth + 1)} of it
 */
@JsonNaming(PropertyNamingStrategies.SnakeCaseStrategy.class)
public record Tuning(String model, int imageSize, TrainOnly trainOnly, double layerDecay) {
  /** A model made anew, all of it trained at one rate. */
  public static final Tuning NONE = new Tuning("", 0, TrainOnly.ALL, 1);

  private static final String BLOCKS = "blocks.";

  public Tuning {
    if (imageSize < 0) {
      throw new IllegalArgumentException("image_size: got " + imageSize + ", expected 0 or more");
    }
    if (!(layerDecay > 0 && layerDecay <= 1)) {
      throw new IllegalArgumentException("layer_decay: got " + layerDecay + ", expected a number above 0, at most 1");
    }
  }

  /** Whether there is a model to start from. */
  boolean starts() {
    return !model.isEmpty();
  }

  /** What is trained, and how fast. */
  List<Parameter> parameters(Objective objective, double decay, double headDecay) {
    VitConfig vit = objective.model().config();
    int depth = vit.depth();
    return Parameter.of(objective.parameters(), decay, headDecay, trainOnly.names(vit)).stream()
        .map(p -> p.faster(Math.pow(layerDecay, depth + 1 - layer(p.name(), depth))))
        .toList();
  }

  /** 0 for the embedding, 1 to depth for blocks, then what comes after them. */
  static int layer(String name, int depth) {
    if (name.startsWith(BLOCKS)) {
      return 1 + Integer.parseInt(name.substring(BLOCKS.length(), name.indexOf('.', BLOCKS.length())));
    }
    boolean embeds = name.startsWith("patch_embed.")
        || name.startsWith("norm_pre.")
        || name.equals("prefix")
        || name.equals("positions");
    return embeds ? 0 : depth + 1;
  }
}
