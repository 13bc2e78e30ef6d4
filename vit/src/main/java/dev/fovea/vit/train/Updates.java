package dev.fovea.vit.train;

import dev.fovea.vit.data.Batch;

/** Updates a model batch by batch. */
interface Updates extends AutoCloseable {
  /**
   * Begins an update, which has been done when its result is there.
   *
   * @param step from 1
   */
  Pending begin(Batch batch, double learningRate, long step);

  /** Lets go of memory that only steps need, for something else to be computed; the next step takes it again. */
  default void rest() {}

  @Override
  void close();

  /**
   * What came of a step.
   *
   * @param loss mean over the batch, before the update
   * @param accuracy share of right answers; of the likelier class where pictures were mixed; NaN without classes
   * @param finite whether loss and clipped gradients are; if not, nothing was updated, or the model is of no use any
   *     more: see {@link Pending}
   */
  record Result(double loss, double accuracy, boolean finite) {}

  /** A result that may be on its way. */
  sealed interface Pending {
    /** Waits for the result. To be called once. */
    Result result();

    /** Of an update that has been done, or was left out because it was not finite. */
    record Done(Result result) implements Pending {}

    /** Of an update that is still computed, and is done even if it turns out not to be finite. */
    non-sealed interface Late extends Pending {}
  }
}
