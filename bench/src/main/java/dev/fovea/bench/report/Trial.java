package dev.fovea.bench.report;

import java.io.PrintStream;

/** One subject that can be measured. */
public interface Trial {
  Subject subject();

  /** About how long it takes. */
  double seconds(Effort effort);

  /**
   * Measures. Answers are checked before anything is timed.
   *
   * @param log takes whatever is printed on the way
   * @param step is run whenever something more is done, for progress
   * @throws Unavailable if the subject is not here: its cell stays blank
   * @throws Exception if it fails: the run goes on and ends with exit code 1
   */
  Result run(Effort effort, PrintStream log, Runnable step) throws Exception;
}
