package dev.fovea.bench.report;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What one subject came to: all samples, or the reason why there are none.
 *
 * @param subject what was measured
 * @param unit of a sample: {@code "us"} for the microseconds of a call (less is better), or a rate that ends in
 *     {@code "/s"} (more is better)
 * @param samples a list for each process that measured, of the averages of its iterations
 * @param extras what else is known of a call, by the names of {@link Extra}
 * @param reason why there are no samples; null where there are
 * @param failed whether the reason is an error: a wrong answer or a crash, not a peer that is not here
 */
@JsonInclude(JsonInclude.Include.NON_NULL)
public record Result(
    @JsonUnwrapped Subject subject,
    String unit,
    List<List<Double>> samples,
    Map<String, Double> extras,
    @Nullable String reason,
    boolean failed) {
  /** Microseconds of a call. */
  public static final String MICROS = "us";

  /** Keeps the extras in the order of their names. */
  public Result {
    extras = new TreeMap<>(extras);
  }

  /** Times in microseconds. */
  public static Result of(Subject subject, List<List<Double>> samples, Map<String, Double> extras) {
    return new Result(subject, MICROS, samples, extras, null, false);
  }

  /** A blank cell of the table: the peer is not here, or does not do this. */
  public static Result blank(Subject subject, String reason) {
    return new Result(subject, MICROS, List.of(), Map.of(), reason, false);
  }

  /** An error. */
  public static Result failure(Subject subject, String reason) {
    return new Result(subject, MICROS, List.of(), Map.of(), reason, true);
  }

  /** Whether there are samples. */
  @JsonIgnore
  public boolean isMeasured() {
    return samples.stream().anyMatch(fork -> !fork.isEmpty());
  }

  /** Whether less is better. */
  @JsonIgnore
  public boolean isTime() {
    return !unit.endsWith("/s");
  }

  /** The {@linkplain Estimate median} of all processes; null where there are none. */
  @JsonProperty(access = JsonProperty.Access.READ_ONLY)
  public @Nullable Double median() {
    return isMeasured() ? Estimate.of(samples).median() : null;
  }

  /** Half the width of the median's {@linkplain Estimate confidence interval}; null where it cannot be told. */
  @JsonProperty(access = JsonProperty.Access.READ_ONLY)
  public @Nullable Double error() {
    double error = isMeasured() ? Estimate.of(samples).error() : Double.NaN;
    return Double.isFinite(error) ? error : null;
  }

  /** Seconds of a call; NaN where they were not measured. */
  @JsonIgnore
  public double seconds() {
    return isMeasured() && unit.equals(MICROS) ? 1e-6 * Estimate.of(samples).median() : Double.NaN;
  }

  /** What else is known of a call; NaN where it is not. */
  public double extra(String name) {
    return extras.getOrDefault(name, Double.NaN);
  }
}
