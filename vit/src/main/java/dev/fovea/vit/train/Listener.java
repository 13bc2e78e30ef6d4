package dev.fovea.vit.train;

/** Hears how a run goes on; called by the thread that trains. */
public interface Listener {
  /**
   * A step was done.
   *
   * @param step updates done
   * @param steps of the whole run
   * @param loss of this step's batch
   * @param accuracy of this step's batch, 0 to 1; NaN where no classes are learned
   * @param rate learning rate
   * @param imagesPerSecond over the last steps
   * @param peakBytes most device memory in use so far
   */
  record Step(
      long step, long steps, double loss, double accuracy, double rate, double imagesPerSecond, long peakBytes) {}

  /** After every step. */
  void step(Step step);

  /** After every evaluation. */
  void evaluation(long step, Evaluation evaluation);

  /** Something that a person should know: one sentence. */
  void message(String message);
}
