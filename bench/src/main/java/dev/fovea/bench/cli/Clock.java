package dev.fovea.bench.cli;

import java.util.Locale;

/** How much longer a run takes: what was planned, corrected by how long the part that is done really took. */
final class Clock {
  private static final double NEGLIGIBLE = 1e-3;

  private final long started = System.nanoTime();
  private final double planned;
  private double done;

  Clock(double plannedSeconds) {
    planned = plannedSeconds;
  }

  /** So much of the plan is done. */
  void done(double plannedSeconds) {
    done += plannedSeconds;
  }

  /** Seconds that are left. */
  double left() {
    double took = (System.nanoTime() - started) * 1e-9;
    // The plan counts as if another minute of it had gone well: a few measurements do not turn the estimate over.
    double pace = (took + 60) / (done + 60);
    return Math.max(0, planned - done) * (done < NEGLIGIBLE ? 1 : pace);
  }

  /** A time in words. */
  static String words(double seconds) {
    return seconds < 90
        ? String.format(Locale.ROOT, "%.0f s", Math.ceil(seconds))
        : seconds < 5400
            ? String.format(Locale.ROOT, "%.0f min", seconds / 60)
            : String.format(Locale.ROOT, "%.1f h", seconds / 3600);
  }
}
