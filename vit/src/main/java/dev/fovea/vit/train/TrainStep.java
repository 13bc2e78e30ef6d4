package dev.fovea.vit.train;

import dev.fovea.tensor.Gradients;
import dev.fovea.tensor.Recompute;
import dev.fovea.tensor.Scope;
import dev.fovea.tensor.Tape;
import dev.fovea.tensor.Tensor;
import dev.fovea.tensor.ops.Ops;
import dev.fovea.vit.data.Batch;
import java.util.Arrays;
import java.util.IdentityHashMap;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * One update of a model: forward, backward, clip, move. The batch is computed in equal micro-batches whose gradients
 * add up. Where nothing needs all gradients at once (one micro-batch, no clipping), each is consumed and freed as soon
 * as it exists.
 */
final class TrainStep implements Updates {
  private final Objective objective;
  private final Optimizer optimizer;
  private final Settings settings;
  private final Map<Tensor, Parameter> byValue = new IdentityHashMap<>();

  /**
   * What stays the same from step to step.
   *
   * @param micro number of micro-batches
   * @param clip largest global norm of the gradients, 0 for any
   */
  record Settings(Recompute recompute, int micro, double clip) {}

  TrainStep(Objective objective, Optimizer optimizer, Settings settings) {
    this.objective = objective;
    this.optimizer = optimizer;
    this.settings = settings;
    for (Parameter parameter : optimizer.parameters()) {
      byValue.put(parameter.value().trainable(), parameter);
    }
  }

  /** Computes the gradients of a batch and drops them: nothing is updated. */
  void rehearse(Batch batch) {
    try (Scope scope = Scope.open(Evaluation.device(objective.model())).label("step");
        Tape tape = Tape.record(settings.recompute)) {
      Tensor mean = objective.on(batch, 0).loss();
      if (releases()) {
        tape.backward(mean, (tensor, gradient) -> parameter(tensor));
      } else {
        tape.backward(mean).close();
      }
    }
  }

  private boolean releases() {
    return releases(settings.micro, settings.clip);
  }

  /** Whether gradients are consumed one by one. */
  static boolean releases(int micro, double clip) {
    return micro == 1 && clip == 0;
  }

  @Override
  public Pending begin(Batch batch, double learningRate, long step) {
    return new Pending.Done(update(batch, learningRate, step));
  }

  @Override
  public void close() {}

  /**
   * Updates the model once.
   *
   * @param step from 1
   */
  Result update(Batch batch, double learningRate, long step) {
    try (Scope scope = Scope.open(Evaluation.device(objective.model())).label("step");
        Tape tape = Tape.record(settings.recompute);
        Gradients gradients = new Gradients()) {
      double loss = 0;
      double right = 0;
      for (int i = 0; i < settings.micro; i++) {
        Batch part = part(batch, i);
        try (Scope inside = Scope.open()) {
          Objective.Answer answer = objective.on(part, (step - 1) * settings.micro + i);
          Tensor mean = answer.loss();
          right += right(answer.logits(), part);
          double value = mean.item();
          loss += value / settings.micro;
          if (!Double.isFinite(value)) {
            return new Result(value, 0, false);
          }
          if (releases()) {
            tape.backward(mean, (tensor, gradient) -> optimizer.step(parameter(tensor), gradient, learningRate, step));
          } else {
            tape.backward(settings.micro == 1 ? mean : Ops.scale(mean, 1f / settings.micro), gradients);
          }
        }
      }
      boolean finite = releases() || apply(gradients, learningRate, step);
      return new Result(loss, right / batch.size(), finite);
    }
  }

  private Parameter parameter(Tensor tensor) {
    return Objects.requireNonNull(byValue.get(tensor));
  }

  /** Clips and updates; false if the gradients' norm is not finite. */
  private boolean apply(Gradients gradients, double learningRate, long step) {
    Tensor factor = null;
    if (settings.clip > 0) {
      Tensor squares = GlobalNorm.sumOfSquares(optimizer.parameters(), gradients);
      if (!Double.isFinite(squares.item())) {
        return false;
      }
      factor = GlobalNorm.clipFactor(squares, settings.clip);
    }
    optimizer.step(gradients, factor, learningRate, step);
    return true;
  }

  private Batch part(Batch batch, int i) {
    if (settings.micro == 1) {
      return batch;
    }
    int count = batch.size() / settings.micro;
    int size = batch.pixels().length / batch.size();
    float[] targets = batch.targets();
    return new Batch(
        Arrays.copyOfRange(batch.pixels(), i * count * size, (i + 1) * count * size),
        Arrays.copyOfRange(batch.labels(), i * count, (i + 1) * count),
        targets == null ? null : cut(targets, targets.length / batch.size(), i, count));
  }

  private static float[] cut(float[] targets, int classes, int i, int count) {
    return Arrays.copyOfRange(targets, i * count * classes, (i + 1) * count * classes);
  }

  private static double right(@Nullable Tensor logits, Batch part) {
    return logits == null
        ? Double.NaN
        : right(logits.toFloats(), Math.toIntExact(logits.shape().dim(1)), part);
  }

  /** The number of right answers. */
  static int right(float[] logits, int classes, Batch part) {
    int[] answers = Evaluation.answers(logits, classes);
    int right = 0;
    for (int b = 0; b < answers.length; b++) {
      right += answers[b] == label(part, b, classes) ? 1 : 0;
    }
    return right;
  }

  private static int label(Batch part, int b, int classes) {
    float @Nullable [] targets = part.targets();
    if (targets == null) {
      return part.labels()[b];
    }
    int best = 0;
    for (int c = 1; c < classes; c++) {
      best = targets[b * classes + c] > targets[b * classes + best] ? c : best;
    }
    return best;
  }
}
