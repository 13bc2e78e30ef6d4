package dev.fovea.vit.train;

import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.fovea.tensor.Device;
import java.io.IOException;

/** Tells of steps: their line in the metrics, and the listener. */
final class StepLog {
  private final Metrics metrics;
  private final Listener listener;
  private final Device device;
  private final long steps;
  private final Speed speed;

  StepLog(Metrics metrics, Listener listener, Device device, TrainConfig config) {
    this.metrics = metrics;
    this.listener = listener;
    this.device = device;
    steps = config.run().steps();
    speed = new Speed(config.data().batch());
  }

  /** A step was done; its line is to be completed and {@linkplain #write written}. */
  ObjectNode step(long number, double rate, Updates.Result result) {
    speed.step();
    long peak = device.memory().peak();
    listener.step(
        new Listener.Step(number, steps, result.loss(), result.accuracy(), rate, speed.imagesPerSecond(), peak));
    ObjectNode line = Metrics.line().put("step", number).put("loss", result.loss());
    if (!Double.isNaN(result.accuracy())) {
      line.put("accuracy", result.accuracy());
    }
    return line.put("lr", rate).put("images_per_s", speed.imagesPerSecond()).put("peak_bytes", peak);
  }

  /** The last step was evaluated. */
  void evaluated(ObjectNode line, long number, Evaluation evaluation) {
    line.put("val_loss", evaluation.loss());
    if (evaluation.classifies()) {
      line.put("val_accuracy", evaluation.accuracy());
    }
    listener.evaluation(number, evaluation);
  }

  void write(ObjectNode line) throws IOException {
    metrics.write(line);
  }

  /** What was done since the last step does not count as training. */
  void pause() {
    speed.pause();
  }
}
