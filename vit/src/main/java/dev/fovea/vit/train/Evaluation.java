package dev.fovea.vit.train;

import dev.fovea.tensor.Device;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Tensor;
import dev.fovea.vit.data.Batch;
import dev.fovea.vit.data.Batches;
import dev.fovea.vit.data.Prefetch;
import dev.fovea.vit.model.VisionTransformer;
import java.util.Objects;

/**
 * How a model does on pictures that it has not seen.
 *
 * @param loss mean over the pictures, without smoothing
 * @param accuracy share of pictures whose class has the largest logit, 0 to 1; NaN where no classes are learned
 * @param confusion number of pictures by [label, answer]; empty where no classes are learned
 */
@SuppressWarnings("ArrayRecordComponent") // Nobody compares evaluations.
public record Evaluation(double loss, double accuracy, int[][] confusion) {
  /** Of a model that learns no classes. */
  static Evaluation ofLoss(double loss) {
    return new Evaluation(loss, Double.NaN, new int[0][]);
  }

  /** Whether classes are learned. */
  public boolean classifies() {
    return confusion.length > 0;
  }

  /** Larger for a better model, 0 to 1: the accuracy, or 1 / (1 + loss) where no classes are learned. */
  double score() {
    return classifies() ? accuracy : 1 / (1 + loss);
  }

  /** Runs the model on every picture once. */
  public static Evaluation of(VisionTransformer model, Batches pictures, Loss loss) {
    int classes = model.config().classes();
    int[][] confusion = new int[classes][classes];
    double total = 0;
    int count = 0;
    int right = 0;
    int batches = pictures.perEpoch();
    try (Prefetch prefetch = new Prefetch(pictures, 0, batches, 1)) {
      for (int step = 0; step < batches; step++) {
        Batch batch = prefetch.take();
        int[] answers;
        int read = 0;
        try (Scope scope = Scope.open(device(model))) {
          Tensor logits = logits(model, batch);
          double mean =
              loss.of(logits, Tensor.of(batch.labels(), batch.size()), 0).item();
          answers = answers(logits);
          total += mean * batch.size();
        }
        for (int b = 0; b < batch.size(); b++) {
          int label = batch.labels()[b];
          if (label >= 0) {
            confusion[label][answers[b]]++;
            right += label == answers[b] ? 1 : 0;
            read++;
          }
        }
        count += read;
      }
    }
    return new Evaluation(total / Math.max(1, count), (double) right / Math.max(1, count), confusion);
  }

  static Device device(VisionTransformer model) {
    return model.parameters().values().iterator().next().device();
  }

  /** The batch's logits, in the current scope. */
  static Tensor logits(VisionTransformer model, Batch batch) {
    return Objects.requireNonNull(model.forward(pixels(model, batch)).logits(), "a model with a classifier");
  }

  /** The batch's pictures on the device of the current scope. */
  static Tensor pixels(VisionTransformer model, Batch batch) {
    var config = model.config();
    return Tensor.of(batch.pixels(), batch.size(), config.channels(), config.imageHeight(), config.imageWidth());
  }

  /** The class of the largest logit of each row. */
  static int[] answers(Tensor logits) {
    return answers(logits.toFloats(), Math.toIntExact(logits.shape().dim(1)));
  }

  /** As {@link #answers(Tensor)}, of values on the host. */
  static int[] answers(float[] values, int classes) {
    int[] answers = new int[values.length / classes];
    for (int row = 0; row < answers.length; row++) {
      int best = 0;
      for (int c = 1; c < classes; c++) {
        if (values[row * classes + c] > values[row * classes + best]) {
          best = c;
        }
      }
      answers[row] = best;
    }
    return answers;
  }
}
