package dev.fovea.vit.train;

import dev.fovea.tensor.Device;
import dev.fovea.tensor.Tensor;
import dev.fovea.vit.data.Batch;
import dev.fovea.vit.data.Batches;
import dev.fovea.vit.data.RandomStream;
import dev.fovea.vit.model.Training;
import dev.fovea.vit.model.VisionTransformer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Objects;

/**
 * Learns which class a picture belongs to.
 *
 * @param model with a classifier
 * @param loss of its logits
 * @param smoothing share of the targets spread evenly over all classes
 * @param seed of stochastic depth
 */
record Classification(VisionTransformer model, Loss loss, float smoothing, long seed) implements Objective {
  /** Of a run. */
  static Classification of(TrainConfig config, int classes, Device device) throws IOException {
    TrainConfig.Data data = config.data();
    float headBias = data.loss() == Loss.SIGMOID ? (float) -Math.log(classes) : 0;
    return new Classification(
        StartingModel.of(config, classes, headBias, device),
        data.loss(),
        (float) data.smoothing(),
        RandomStream.seed(config.run().seed(), "model"));
  }

  @Override
  public Map<String, Tensor> parameters() {
    return model.parameters();
  }

  @Override
  public Classification with(Map<String, Tensor> parameters) {
    return new Classification(new VisionTransformer(model.config(), parameters), loss, smoothing, seed);
  }

  @Override
  public Answer on(Batch pictures, long number) {
    return on(Evaluation.pixels(model, pictures), target(pictures), new Training(seed, number));
  }

  /** Stochastic depth draws anew at each step. */
  @Override
  public boolean isStatic() {
    return model.config().dropPath() == 0;
  }

  @Override
  public Answer on(Tensor pixels, Tensor target) {
    return on(pixels, target, new Training(seed, 0));
  }

  private Answer on(Tensor pixels, Tensor target, Training training) {
    Tensor logits = Objects.requireNonNull(model.forward(pixels, training).logits(), "a model with a classifier");
    return new Answer(loss.of(logits, target, smoothing), logits);
  }

  private Tensor target(Batch pictures) {
    float[] targets = pictures.targets();
    return targets == null
        ? Tensor.of(pictures.labels(), pictures.size())
        : Tensor.of(targets, pictures.size(), model.config().classes());
  }

  @Override
  public Evaluation evaluate(Batches pictures) {
    return Evaluation.of(model, pictures, loss);
  }

  @Override
  public void draw(Pictures pictures, Evaluation evaluation, Path folder) throws IOException {
    Plots.confusion(evaluation.confusion(), pictures.validation().classes(), folder.resolve("confusion.png"));
    SampleSheet.draw(model, pictures.validation(), evaluation, folder.resolve("samples.png"));
    SampleSheet.attention(model, pictures.validation(), folder.resolve("attention.png"));
  }

  @Override
  public void close() {
    model.close();
  }
}
