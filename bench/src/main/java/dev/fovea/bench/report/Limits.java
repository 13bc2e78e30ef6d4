package dev.fovea.bench.report;

import java.util.List;

/**
 * What the machine can do, measured in the same run: medians like those of what is compared with them, so that a
 * machine whose memory others use as well slows both.
 */
public final class Limits {
  /** The suite that measures them. */
  public static final String SUITE = "machine";

  private final List<Result> results;

  private Limits(List<Result> results) {
    this.results = results;
  }

  /** Those of a run. */
  public static Limits of(Results run) {
    return new Limits(run.of(SUITE));
  }

  /** Floating-point operations per second of so many threads; NaN where that was not measured. */
  public double flops(int threads) {
    return best(Extra.FLOPS, threads);
  }

  /**
   * Bytes of memory per second of so many threads: the best of copying, of changing in place and of reading; NaN where
   * that was not measured.
   */
  public double bytes(int threads) {
    return best(Extra.BYTES, threads);
  }

  /** The numbers of threads that were measured. */
  public List<Integer> threads() {
    return results.stream()
        .map(result -> result.subject().threads())
        .distinct()
        .sorted()
        .toList();
  }

  private double best(String extra, int threads) {
    return results.stream()
        .filter(result -> result.subject().threads() == threads && result.extra(extra) > 0)
        .mapToDouble(result -> result.extra(extra) / result.seconds())
        .max()
        .orElse(Double.NaN);
  }

  /**
   * The time that the machine needs at least, as a part of the time that was taken: by the roofline, the larger of what
   * the arithmetic and what the memory takes. Above 1 where the caches are faster than the memory; NaN where it cannot
   * be told.
   */
  public double share(Result result) {
    double known = result.extra(Extra.OF_LIMIT);
    if (!Double.isNaN(known)) {
      return known;
    }
    int threads = result.subject().threads();
    double arithmetic = result.extra(Extra.FLOPS) / flops(threads);
    double memory = result.extra(Extra.BYTES) / bytes(threads);
    double least = Double.isNaN(arithmetic) ? memory : Double.isNaN(memory) ? arithmetic : Math.max(arithmetic, memory);
    return least > 0 ? least / result.seconds() : Double.NaN;
  }
}
