package dev.fovea.bench.report;

import java.util.List;
import org.openjdk.jmh.util.ListStatistics;

/**
 * A mean and how far it can be trusted. Iterations of one process share its memory layout and compiled code, so
 * processes are what differs: with three or more, the interval is Student's, of 95 %, over the processes' means. With
 * fewer it is the one of 99 % over all iterations, which knows nothing of how processes differ.
 *
 * @param mean of all samples
 * @param error half the width of the interval; NaN of a single sample
 * @param forks processes that measured
 */
public record Estimate(double mean, double error, int forks) {
  /** Processes from which on the interval is one over processes. */
  public static final int ENOUGH_FORKS = 3;

  private static final double CONFIDENCE = 0.95;
  private static final double CONFIDENCE_OF_ITERATIONS = 0.99;

  /** Of the iterations of each process. */
  public static Estimate of(List<List<Double>> samples) {
    List<List<Double>> forks = samples.stream().filter(fork -> !fork.isEmpty()).toList();
    double[] all =
        forks.stream().flatMap(List::stream).mapToDouble(Double::doubleValue).toArray();
    double mean = new ListStatistics(all).getMean();
    if (forks.size() >= ENOUGH_FORKS) {
      double[] means = forks.stream()
          .mapToDouble(
              fork -> fork.stream().mapToDouble(Double::doubleValue).average().orElseThrow())
          .toArray();
      return new Estimate(mean, new ListStatistics(means).getMeanErrorAt(CONFIDENCE), forks.size());
    }
    double error = all.length > 1 ? new ListStatistics(all).getMeanErrorAt(CONFIDENCE_OF_ITERATIONS) : Double.NaN;
    return new Estimate(mean, error, forks.size());
  }

  /** The interval's lower end. */
  public double low() {
    return mean - error;
  }

  /** The interval's upper end. */
  public double high() {
    return mean + error;
  }
}
