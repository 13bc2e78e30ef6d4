package dev.fovea.bench.report;

import com.fasterxml.jackson.annotation.JsonIgnore;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.List;

/**
 * A run of benchmarks: what {@code results.json} holds.
 *
 * @param format version of the file's format
 * @param effort how long each subject was measured
 * @param environment where
 * @param suites that were run
 * @param results of every subject, blank ones included
 */
public record Results(
    int format, Effort effort, Environment environment, List<SuiteNote> suites, List<Result> results) {
  /** The file's name in a run's folder. */
  public static final String FILE = "results.json";

  private static final int FORMAT = 1;
  private static final ObjectMapper JSON = JsonMapper.builder()
      .enable(SerializationFeature.INDENT_OUTPUT)
      .disable(DeserializationFeature.FAIL_ON_UNKNOWN_PROPERTIES)
      .build();

  /** A run in the present format. */
  public Results(Effort effort, Environment environment, List<SuiteNote> suites, List<Result> results) {
    this(FORMAT, effort, environment, suites, results);
  }

  /**
   * Reads a run.
   *
   * @param path the file, or the folder that it lies in
   * @throws IOException that names the file where it holds no results
   */
  public static Results read(Path path) throws IOException {
    Path file = Files.isDirectory(path) ? path.resolve(FILE) : path;
    if (!Files.isRegularFile(file)) {
      throw new NoSuchFileException(file + ": no such file, expected results of ./fovea bench");
    }
    Results results;
    try {
      results = JSON.readValue(file.toFile(), Results.class);
    } catch (IOException e) {
      throw new IOException(file + ": got no results, expected a file that ./fovea bench wrote: " + e.getMessage(), e);
    }
    if (results == null || results.format() != FORMAT) {
      throw new IOException("%s: got format %s, expected %d"
          .formatted(file, results == null ? "none" : String.valueOf(results.format()), FORMAT));
    }
    return results;
  }

  /** Writes {@value #FILE}: all of it, or nothing where that fails. */
  public void write(Path folder) throws IOException {
    Files.createDirectories(folder);
    Path part = folder.resolve(FILE + ".part");
    JSON.writeValue(part.toFile(), this);
    Files.move(part, folder.resolve(FILE), StandardCopyOption.REPLACE_EXISTING, StandardCopyOption.ATOMIC_MOVE);
  }

  /** The results of one suite. */
  public List<Result> of(String suite) {
    return results.stream()
        .filter(result -> result.subject().suite().equals(suite))
        .toList();
  }

  /** Whether something was wrong: an answer, or a crash. */
  @JsonIgnore
  public boolean hasFailures() {
    return results.stream().anyMatch(Result::failed);
  }
}
