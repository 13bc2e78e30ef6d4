package dev.fovea.bench.report;

import java.util.List;

/** Benchmarks that {@code ./fovea bench NAME} runs. */
public interface Suite {
  /** What it is, for reports. */
  SuiteNote note();

  /**
   * What it measures, Fovea before its peers at every size, so that what is compared is measured one after the other.
   *
   * @param effort which choice of sizes
   * @param threads the numbers of threads to measure with, where the suite does not choose its own
   */
  List<Trial> trials(Effort effort, List<Integer> threads);
}
