package dev.fovea.bench.report;

import java.util.Collection;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.infra.IterationParams;
import org.openjdk.jmh.profile.InternalProfiler;
import org.openjdk.jmh.results.AggregationPolicy;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.ScalarResult;

/** Carries what a benchmark put into {@link Extra} from the process that measures into JMH's results. */
public final class ExtraProfiler implements InternalProfiler {
  static final String PREFIX = "fovea.";

  @Override
  public String getDescription() {
    return "What a call computes, moves and keeps";
  }

  @Override
  public void beforeIteration(BenchmarkParams benchmark, IterationParams iteration) {
    // Values stand from the setup on.
  }

  @Override
  public Collection<ScalarResult> afterIteration(
      BenchmarkParams benchmark, IterationParams iteration, IterationResult result) {
    return Extra.values().entrySet().stream()
        .map(value -> new ScalarResult(PREFIX + value.getKey(), value.getValue(), "", AggregationPolicy.MAX))
        .toList();
  }
}
