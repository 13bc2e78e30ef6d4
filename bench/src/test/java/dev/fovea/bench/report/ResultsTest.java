package dev.fovea.bench.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is written is read again. */
class ResultsTest {
  private final Results run = Runs.of(
      Runs.times(Runs.gemm("1x2x3", "fovea", 2), 10, 11, 12),
      Result.blank(Runs.gemm("1x2x3", "mkl", 2), "is not here"),
      Result.failure(Runs.gemm("1x2x3", "openblas", 2), "wrong"),
      new Result(Runs.gemm("1x2x3", "timm", 2), "images/s", List.of(List.of(5.0)), Map.of(), null, false));

  @Test
  void resultsSurviveTheFile(@TempDir Path folder) throws IOException {
    run.write(folder);
    assertEquals(run, Results.read(folder));
    assertEquals(run, Results.read(folder.resolve(Results.FILE)));
    try (var files = Files.list(folder)) {
      assertEquals(List.of(folder.resolve(Results.FILE)), files.toList());
    }
  }

  @Test
  void othersCanReadTheFile(@TempDir Path folder) throws IOException {
    run.write(folder);
    JsonNode json = new ObjectMapper().readTree(folder.resolve(Results.FILE).toFile());
    JsonNode first = json.path("results").path(3);
    assertEquals("gemm", first.path("suite").asText());
    assertEquals("1x2x3", first.path("parameters").path("shape").asText());
    assertEquals(2, first.path("threads").asInt());
    assertEquals(11, first.path("median").asDouble(), 1e-9);
    assertTrue(first.path("error").asDouble() > 0, first.toString());
    assertEquals(3, first.path("samples").path(1).size());
    JsonNode blank = json.path("results").path(4);
    assertEquals("is not here", blank.path("reason").asText());
    assertFalse(blank.has("median"), blank.toString());
    assertEquals("abcdef", json.path("environment").path("commit").asText());
    assertFalse(Files.readString(folder.resolve(Results.FILE)).contains("NaN"));
  }

  @Test
  void otherFilesAreRefused(@TempDir Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve(Results.FILE), "[1, 2");
    assertTrue(message(file).contains("got no results"), message(file));
    Files.writeString(file, "{\"format\": 7}");
    assertTrue(message(file).contains("got format 7, expected 1"), message(file));
    assertTrue(message(folder.resolve("none")).contains("no such file"), message(folder.resolve("none")));
  }

  private static String message(Path file) {
    return String.valueOf(
        assertThrows(IOException.class, () -> Results.read(file)).getMessage());
  }

  @Test
  void processesAreWhatAnIntervalIsOver() {
    // Each process is sure of itself, and they disagree: only the second interval knows.
    Estimate one = Estimate.of(List.of(List.of(10.0, 10.1, 10.0)));
    Estimate three = Estimate.of(List.of(List.of(10.0, 10.1), List.of(12.0, 12.1), List.of(11.0, 11.1)));
    assertEquals(1, one.forks());
    assertTrue(one.error() < 0.4, one.toString());
    assertEquals(11.05, three.median(), 1e-9);
    // Student's quantile of 97.5 % at two degrees of freedom, over the square root of three.
    assertEquals(4.302653 / Math.sqrt(3), three.error(), 1e-4);
    assertTrue(Double.isNaN(Estimate.of(List.of(List.of(1.0))).error()));
  }

  @Test
  void aDisturbedProcessWidensTheIntervalAndMovesNothing() {
    Estimate quiet = Estimate.of(List.of(List.of(10.0, 10.0), List.of(10.2, 10.2), List.of(10.1, 10.1)));
    Estimate disturbed = Estimate.of(List.of(List.of(10.0, 10.0), List.of(20.4, 20.4), List.of(10.1, 10.1)));
    assertEquals(quiet.median(), disturbed.median(), 1e-9);
    assertTrue(disturbed.error() > 10 * quiet.error(), disturbed.toString());
  }

  @Test
  void limitsAreMediansAndTheRooflineIsTheirSmaller() {
    Limits limits = Limits.of(run);
    assertEquals(1e11, limits.flops(1), 1);
    assertEquals(4e10, limits.bytes(1), 1);
    assertTrue(Double.isNaN(limits.bytes(2)));
    // 10 us of arithmetic at the least, 0.25 us of memory.
    Result compute = Runs.times(Runs.gemm("a", "fovea", 1), 20, 20, 20);
    assertEquals(0.5, limits.share(compute), 1e-9);
    Result memory = Result.of(Runs.gemm("b", "fovea", 1), List.of(List.of(20.0)), Map.of(Extra.BYTES, 4e5));
    assertEquals(0.5, limits.share(memory), 1e-9);
    assertTrue(Double.isNaN(limits.share(Result.blank(Runs.gemm("c", "fovea", 1), "no"))));
  }
}
