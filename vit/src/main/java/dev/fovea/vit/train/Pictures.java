package dev.fovea.vit.train;

import dev.fovea.vit.data.Dataset;
import dev.fovea.vit.data.Shapes;
import dev.fovea.vit.data.Split;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/**
 * A set to train on and one to evaluate on.
 *
 * @param training what the model learns from
 * @param validation what it has not seen
 * @param summary sentences about them for a person
 */
record Pictures(Dataset training, Dataset validation, List<String> summary) {
  /** Whether a name is one of ours rather than a path. */
  static boolean isBuiltIn(String name) {
    return name.toLowerCase(Locale.ROOT).startsWith("shapes");
  }

  /** What a configuration names. */
  static Pictures of(TrainConfig config) throws IOException {
    String name = config.data().set();
    int side = config.model().imageSize();
    long seed = config.run().seed();
    if (!isBuiltIn(name)) {
      Path path = Path.of(name);
      Split split = config.masked().on() ? Split.unlabelled(path, seed, side) : Split.open(path, seed, side);
      return new Pictures(split.training(), split.validation(), split.summary());
    }
    Shapes.Cue cue = switch (name.toLowerCase(Locale.ROOT)) {
      case "shapes" -> Shapes.Cue.INDEPENDENT;
      case "shapes:matching" -> Shapes.Cue.MATCHING;
      case "shapes:conflict" -> Shapes.Cue.CONFLICT;
      default ->
        throw new IllegalArgumentException(
            "data: got %s, expected shapes, shapes:matching, shapes:conflict or a path".formatted(name));
    };
    return new Pictures(
        new Shapes("train", side, config.data().trainSize(), seed, cue),
        new Shapes("val", side, config.data().valSize(), seed, cue),
        List.of());
  }
}
