package dev.fovea.vit.train;

import dev.fovea.vit.data.Dataset;
import dev.fovea.vit.data.Shapes;
import java.util.Locale;

/**
 * A set to train on and one to evaluate on.
 *
 * @param training what the model learns from
 * @param validation what it has not seen
 */
record Pictures(Dataset training, Dataset validation) {
  /** What a configuration names. */
  static Pictures of(TrainConfig config) {
    String name = config.data().set();
    Shapes.Cue cue = switch (name.toLowerCase(Locale.ROOT)) {
      case "shapes" -> Shapes.Cue.INDEPENDENT;
      case "shapes:matching" -> Shapes.Cue.MATCHING;
      case "shapes:conflict" -> Shapes.Cue.CONFLICT;
      default ->
        throw new IllegalArgumentException(
            "data: got %s, expected shapes, shapes:matching or shapes:conflict".formatted(name));
    };
    int side = config.model().imageSize();
    long seed = config.run().seed();
    return new Pictures(
        new Shapes("train", side, config.data().trainSize(), seed, cue),
        new Shapes("val", side, config.data().valSize(), seed, cue));
  }
}
