package dev.fovea.vit.train;

import dev.fovea.vit.Vit;
import dev.fovea.vit.data.Batches;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * How the model of a finished run does.
 *
 * @param set what it was evaluated on
 * @param classes by label
 * @param evaluation on all of it
 * @param bias where the set is the built-in one; else null
 */
public record RunEvaluation(
    String set,
    List<String> classes,
    Evaluation evaluation,
    @Nullable ShapeBias bias) {
  /**
   * Evaluates.
   *
   * @param run its folder
   * @param set pictures as {@code --data} takes them, of the same classes; null for what the run was evaluated on
   * @throws IllegalArgumentException if the set has other classes, or the run learns none
   * @throws IOException if there is no run, it is not finished, or something cannot be read
   */
  public static RunEvaluation of(Path run, @Nullable String set) throws IOException {
    TrainConfig own = RunFolder.read(run);
    if (own.masked().on()) {
      throw new IllegalArgumentException(
          run + ": learns no classes; fine-tune its model with ./fovea train --model, and evaluate that run");
    }
    Path folder = run.resolve("model");
    if (!Files.exists(folder)) {
      throw new NoSuchFileException(run.toString(), null, "is not finished; go on with it with --resume");
    }
    TrainConfig config =
        set == null ? own : StartingModel.resolved(own.with(own.data().withSet(set)));
    Pictures pictures = Pictures.of(config);
    List<String> classes = pictures.validation().classes();
    try (Vit vit = Vit.load(folder)) {
      var model = vit.model();
      if (set != null && !classes.equals(Pictures.of(own).validation().classes())) {
        throw new IllegalArgumentException(
            "data: got classes %s, expected those that %s was trained on".formatted(classes, run));
      }
      int batch = config.data().batch();
      Batches batches = Batches.evaluation(
          pictures.validation(),
          batch,
          model.config().imageHeight(),
          model.config().imageWidth());
      ShapeBias bias = ShapeBias.of(config, model).orElse(null);
      return new RunEvaluation(
          config.data().set(),
          classes,
          Evaluation.of(model, batches, config.data().loss()),
          bias);
    }
  }
}
