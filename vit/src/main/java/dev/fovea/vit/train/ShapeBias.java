package dev.fovea.vit.train;

import dev.fovea.tensor.Scope;
import dev.fovea.vit.data.Batch;
import dev.fovea.vit.data.Batches;
import dev.fovea.vit.data.Shapes;
import dev.fovea.vit.model.VisionTransformer;
import java.util.Locale;
import java.util.Optional;

/**
 * Which cue a model goes by where shape and texture say different classes (Geirhos et al., 2019; ViT-22B): of the
 * pictures that it answers with either, the share that it answers with the shape.
 *
 * @param pictures shown
 * @param byShape answered with the shape's class
 * @param byTexture answered with the texture's class
 */
public record ShapeBias(int pictures, int byShape, int byTexture) {
  /** Of a model that classifies the built-in pictures; else empty. */
  static Optional<ShapeBias> of(TrainConfig config, VisionTransformer model) {
    return Pictures.isBuiltIn(config.data().set()) && model.config().classes() > 0
        ? Optional.of(of(
            model, config.data().valSize(), config.data().batch(), config.run().seed()))
        : Optional.empty();
  }

  /** Runs a model on built-in pictures whose texture is that of another class than their shape. */
  private static ShapeBias of(VisionTransformer model, int count, int batch, long seed) {
    var config = model.config();
    Shapes shapes = new Shapes("conflict", config.imageHeight(), count, seed, Shapes.Cue.CONFLICT);
    Batches batches = Batches.evaluation(shapes, batch, config.imageHeight(), config.imageWidth());
    int shape = 0;
    int texture = 0;
    for (int step = 0; step < batches.perEpoch(); step++) {
      Batch pictures = batches.batch(step);
      int[] answers;
      try (Scope scope = Scope.open(Evaluation.device(model))) {
        answers = Evaluation.answers(Evaluation.logits(model, pictures));
      }
      for (int b = 0; b < answers.length; b++) {
        shape += answers[b] == pictures.labels()[b] ? 1 : 0;
        texture += answers[b] == shapes.texture(step * batch + b) ? 1 : 0;
      }
    }
    return new ShapeBias(count, shape, texture);
  }

  /** The share, 0 to 1; NaN where it answered with neither. */
  public double share() {
    return (double) byShape / (byShape + byTexture);
  }

  @Override
  public String toString() {
    if (byShape + byTexture == 0) {
      return "shape bias unknown: of %d pictures whose texture is that of another class, none was named by shape or texture"
          .formatted(pictures);
    }
    return String.format(
        Locale.ROOT,
        "shape bias %.1f %%: of %d pictures whose texture is that of another class, %d were named by shape, %d by"
            + " texture",
        100 * share(),
        pictures,
        byShape,
        byTexture);
  }
}
