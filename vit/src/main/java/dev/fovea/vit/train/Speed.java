package dev.fovea.vit.train;

/** Images a second, over the last steps, without evaluations and checkpoints. */
final class Speed {
  private static final double SMOOTHING = 0.9;

  private final int batch;
  private long since = System.nanoTime();
  private double secondsPerStep;
  private double weight;

  Speed(int batch) {
    this.batch = batch;
  }

  /** A step was done. */
  void step() {
    long now = System.nanoTime();
    secondsPerStep = SMOOTHING * secondsPerStep + (1 - SMOOTHING) * (now - since) * 1e-9;
    weight = SMOOTHING * weight + (1 - SMOOTHING);
    since = now;
  }

  /** What was done since the last step does not count. */
  void pause() {
    since = System.nanoTime();
  }

  double imagesPerSecond() {
    return batch * weight / secondsPerStep;
  }
}
