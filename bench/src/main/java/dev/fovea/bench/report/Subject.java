package dev.fovea.bench.report;

import com.fasterxml.jackson.annotation.JsonIgnore;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What is measured, and who computes it. Subjects that differ in their variant alone are compared with each other.
 *
 * @param suite the suite's name, as in {@code "gemm"}
 * @param benchmark what is done, as in {@code "run"}
 * @param parameters sizes and the like by name, in the order they are shown in; neither variant nor threads
 * @param variant who computes: {@code "fovea"}, {@code "fovea:packed"} for a way of Fovea's, else a peer's name
 * @param threads that compute
 */
public record Subject(String suite, String benchmark, Map<String, String> parameters, String variant, int threads) {
  /** Keeps the parameters' order. */
  public Subject {
    parameters = Collections.unmodifiableMap(new LinkedHashMap<>(parameters));
  }

  /** Whether Fovea computes. */
  @JsonIgnore
  public boolean isFovea() {
    return variant.equals("fovea") || variant.startsWith("fovea:");
  }

  /** The same work by somebody else. */
  public Subject by(String other) {
    return new Subject(suite, benchmark, parameters, other, threads);
  }

  /** The same work, without who does it: what rows of tables are made by. */
  public Subject row() {
    return by("");
  }

  /** A parameter, or the empty text. */
  public String parameter(String name) {
    return parameters.getOrDefault(name, "");
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder(suite);
    if (!benchmark.equals("run")) {
      text.append(' ').append(benchmark);
    }
    parameters.values().forEach(value -> text.append(' ').append(value));
    if (!variant.isEmpty()) {
      text.append(' ').append(variant);
    }
    return text.append(threads == 1 ? ", 1 thread" : ", " + threads + " threads")
        .toString();
  }
}
