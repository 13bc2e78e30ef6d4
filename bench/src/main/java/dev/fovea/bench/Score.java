package dev.fovea.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * One line of a JMH result file.
 *
 * @param benchmark class and method
 * @param threads JMH's own; those of kernels are a parameter
 * @param parameters by name
 * @param micros average time of a call, in the unit of its suite: microseconds, of models milliseconds
 * @param error half the 99.9 % confidence interval of it
 * @param allocated bytes of heap that a call allocates, NaN where that was not measured
 */
record Score(String benchmark, int threads, JsonNode parameters, double micros, double error, double allocated) {
  /** All of a file. */
  static List<Score> read(Path file) throws IOException {
    List<Score> scores = new ArrayList<>();
    for (JsonNode result : new ObjectMapper().readTree(file.toFile())) {
      JsonNode time = result.path("primaryMetric");
      JsonNode bytes = result.path("secondaryMetrics").path("gc.alloc.rate.norm");
      scores.add(new Score(
          result.path("benchmark").asText(),
          result.path("threads").asInt(),
          result.path("params"),
          time.path("score").asDouble(),
          time.path("scoreError").asDouble(),
          bytes.path("score").asDouble(Double.NaN)));
    }
    return scores;
  }

  String parameter(String name) {
    return parameters.path(name).asText();
  }

  /** Threads of the kernels. */
  int kernelThreads() {
    return Integer.parseInt(parameter("threads"));
  }

  /** Units per nanosecond, with the error. */
  String rate(double units) {
    double rate = units / micros / 1e3;
    return "%.1f ± %.1f".formatted(rate, rate * error / micros);
  }

  /** The rate as a share of a limit. */
  String share(double units, double limit) {
    return "%.0f %%".formatted(100 * units / micros / 1e3 / limit);
  }

  String garbage() {
    return Double.isNaN(allocated) ? "" : "%.0f".formatted(allocated);
  }
}
