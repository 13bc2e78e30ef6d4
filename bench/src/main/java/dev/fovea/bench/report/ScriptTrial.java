package dev.fovea.bench.report;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.TreeMap;

/**
 * A peer that a script of {@code bench/peers} times, in processes of its own: it says its samples in a line behind
 * {@code @samples}, or ends with 4 where it misses a package.
 *
 * @param subject what it times
 * @param script the file's name
 * @param arguments which tell the script what to time
 * @param secondsOfSetup of each process, beyond the start of a JVM
 */
record ScriptTrial(Subject subject, String script, List<String> arguments, double secondsOfSetup) implements Trial {
  private static final String MARK = "@samples ";
  private static final int MISSING = 4;

  @Override
  public double seconds(Effort effort) {
    return effort.forks() * (effort.secondsOfFork() + secondsOfSetup);
  }

  @Override
  public Result run(Effort effort, PrintStream log, Runnable step) throws IOException, InterruptedException {
    List<List<Double>> samples = new ArrayList<>();
    Map<String, Double> extras = new TreeMap<>();
    for (int i = 0; i < effort.forks(); i++) {
      JsonNode found = fork(effort, log);
      samples.add(found.path("samples").valueStream().map(JsonNode::doubleValue).toList());
      found
          .path("extras")
          .propertyStream()
          .forEach(extra -> extras.put(extra.getKey(), extra.getValue().doubleValue()));
      for (int k = 0; k < effort.warmups() + effort.iterations(); k++) {
        step.run();
      }
    }
    return Result.of(subject, samples, extras);
  }

  private JsonNode fork(Effort effort, PrintStream log) throws IOException, InterruptedException {
    List<String> command =
        new ArrayList<>(List.of("python3", "-B", Scripts.file(script).toString()));
    command.addAll(arguments);
    command.addAll(List.of(
        "--warmups=" + effort.warmups(),
        "--warmup-millis=" + effort.warmupMillis(),
        "--iterations=" + effort.iterations(),
        "--iteration-millis=" + effort.iterationMillis()));
    log.println("# " + String.join(" ", command));
    Process process = Scripts.start(command);
    String last = "";
    JsonNode found = null;
    try (var lines = new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        log.println(line);
        last = line;
        if (line.startsWith(MARK)) {
          found = new ObjectMapper().readTree(line.substring(MARK.length()));
        }
      }
    }
    int code = process.waitFor();
    if (code == MISSING) {
      throw new Unavailable(last);
    }
    if (code != 0) {
      throw new IllegalStateException("%s ended with %d: %s".formatted(script, code, last));
    }
    return Objects.requireNonNull(found, () -> script + " said no samples");
  }

  /** Where the scripts are, and who runs them. */
  static final class Scripts {
    private Scripts() {}

    static Path file(String script) {
      return Path.of(System.getProperty("fovea.home", ""), "bench", "peers", script);
    }

    /**
     * Starts a command, its errors among its output.
     *
     * @throws Unavailable if there is no such program
     */
    static Process start(List<String> command) {
      try {
        return new ProcessBuilder(command).redirectErrorStream(true).start();
      } catch (IOException e) {
        throw new Unavailable(command.getFirst() + " is not here", e);
      }
    }
  }
}
