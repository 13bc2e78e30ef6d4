package dev.fovea.bench.report;

import java.util.Arrays;
import java.util.List;
import java.util.stream.DoubleStream;
import org.openjdk.jmh.util.ListStatistics;

/**
 * What samples say, and how far it can be trusted. The median, so that what else the machine did to one process or
 * iteration does not count. Iterations of one process share its memory layout and compiled code, so processes are what
 * differs: with three or more, the interval is Student's, of 95 %, over the processes' medians. With fewer it is the
 * one of 99 % over all iterations, which knows nothing of how processes differ.
 *
 * @param median of the processes' medians
 * @param error half the width of the interval; NaN of a single sample
 * @param forks processes that measured
 */
public record Estimate(double median, double error, int forks) {
  /** Processes from which on the interval is one over processes. */
  public static final int ENOUGH_FORKS = 3;

  private static final double CONFIDENCE = 0.95;
  private static final double CONFIDENCE_OF_ITERATIONS = 0.99;

  /** Of the iterations of each process. */
  public static Estimate of(List<List<Double>> samples) {
    List<List<Double>> forks = samples.stream().filter(fork -> !fork.isEmpty()).toList();
    double[] medians = forks.stream()
        .mapToDouble(fork -> median(fork.stream().mapToDouble(Double::doubleValue)))
        .toArray();
    double median = median(Arrays.stream(medians));
    if (forks.size() >= ENOUGH_FORKS) {
      return new Estimate(median, new ListStatistics(medians).getMeanErrorAt(CONFIDENCE), forks.size());
    }
    double[] all =
        forks.stream().flatMap(List::stream).mapToDouble(Double::doubleValue).toArray();
    double error = all.length > 1 ? new ListStatistics(all).getMeanErrorAt(CONFIDENCE_OF_ITERATIONS) : Double.NaN;
    return new Estimate(median, error, forks.size());
  }

  private static double median(DoubleStream values) {
    return new ListStatistics(values.toArray()).getPercentile(50);
  }

  /** The interval's lower end. */
  public double low() {
    return median - error;
  }

  /** The interval's upper end. */
  public double high() {
    return median + error;
  }
}
