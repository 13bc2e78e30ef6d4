package dev.fovea.vit.train;

import dev.fovea.tensor.Tensor;
import dev.fovea.vit.data.Batch;
import dev.fovea.vit.data.Batches;
import dev.fovea.vit.model.VisionTransformer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What a run trains, and what it minimises. Owns what it trains. */
interface Objective extends AutoCloseable {
  /**
   * What came of pictures.
   *
   * @param loss their mean, a scalar
   * @param logits [batch, classes]; null where no classes are learned
   */
  record Answer(Tensor loss, @Nullable Tensor logits) {}

  /** The model that a run is for. */
  VisionTransformer model();

  /** Everything that is trained by name: the model's parameters, and what helps to train them. */
  Map<String, Tensor> parameters();

  /** Which of them Adafactor factors the second moment of. */
  default Factoring factoring() {
    return Factoring.of(model().config());
  }

  /** The same objective on other parameters of these names and shapes, which it takes over. */
  Objective with(Map<String, Tensor> parameters);

  /**
   * Runs pictures through the model in the current scope, as in training.
   *
   * @param number of the micro-batch, which all random choices follow from
   */
  Answer on(Batch pictures, long number);

  /**
   * Whether a forward pass depends on nothing but the tensors that {@link #on(Tensor, Tensor)} takes, so that it can be
   * recorded once and replayed for every step.
   */
  default boolean isStatic() {
    return false;
  }

  /**
   * As {@link #on(Batch, long)}, for an objective that {@link #isStatic}.
   *
   * @param pixels [batch, channels, height, width]
   * @param target labels, I32 [batch], or probabilities, F32 [batch, classes]
   */
  default Answer on(Tensor pixels, Tensor target) {
    throw new UnsupportedOperationException("this objective needs more than pixels and targets");
  }

  /** How the model does on pictures that it has not seen. */
  Evaluation evaluate(Batches pictures);

  /** Draws pictures of how it did into the run's folder. */
  void draw(Pictures pictures, Evaluation evaluation, Path folder) throws IOException;

  @Override
  void close();
}
