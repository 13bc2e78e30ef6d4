package dev.fovea.bench.report;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Tables, pages and plots of a run made up. */
class ReportTest {
  private final Results run = Runs.of(
      Runs.times(Runs.gemm("1x2x3", "fovea", 1), 20, 20, 20),
      Runs.times(Runs.gemm("1x2x3", "fovea:packed", 1), 16, 16, 16),
      Runs.times(Runs.gemm("1x2x3", "openblas:SkylakeX", 1), 10, 10, 10),
      Runs.times(Runs.gemm("1x2x3", "mkl", 1), 30, 30, 30),
      Runs.times(Runs.gemm("1x2x3", "mkl:packed", 1), 32, 32, 32),
      Runs.times(Runs.gemm("1x2x3", "fovea", 2), 12, 12, 12),
      Result.blank(Runs.gemm("1x2x3", "mkl", 2), "libmkl <is> not here"),
      Result.failure(Runs.gemm("1x2x3", "openblas:SkylakeX", 2), "wrong"),
      depth("NONE", 2, 5e6),
      depth("NONE", 24, 60e6),
      depth("BLOCK", 2, 4e6),
      depth("BLOCK", 24, 20e6));

  private static Result depth(String policy, int depth, double bytes) {
    return Result.of(
        new Subject("depth", "run", Map.of("policy", policy, "depth", String.valueOf(depth)), "fovea", 1),
        List.of(List.of(100.0 * depth, 101.0 * depth)),
        Map.of(Extra.PEAK_BYTES, bytes));
  }

  private Table gemm() {
    return new Table(run, run.suites().getFirst());
  }

  @Test
  void peersStandBesideTheWayThatTheyShare() {
    assertEquals(List.of("openblas:SkylakeX", "mkl"), gemm().peers());
    assertEquals(
        List.of("", "threads", "time", "±", "rate", "of limit", "heap/call", "to openblas:SkylakeX", "to mkl"),
        gemm().head());
    assertEquals(
        List.of(
            List.of("1x2x3", "1", "20.0 µs", "0 %", "50.0 GFLOP/s", "50 %", "96 B", "0.50", "1.50"),
            List.of("1x2x3 packed", "1", "16.0 µs", "0 %", "62.5 GFLOP/s", "63 %", "96 B", "", "2.00"),
            List.of("1x2x3", "2", "12.0 µs", "0 %", "83.3 GFLOP/s", "42 %", "96 B", "failed", "–")),
        gemm().cells());
    assertEquals(Math.sqrt(1.5 * 2), gemm().meanRatio("mkl"), 1e-9);
    assertEquals(0.5, gemm().medianShare(), 1e-9);
  }

  @Test
  void blankCellsHaveReasons() {
    assertEquals(
        List.of(
            "to mkl: 1.73 on the geometric mean of 2",
            "mkl is blank: libmkl <is> not here",
            "openblas:SkylakeX failed: wrong"),
        gemm().notes());
  }

  @Test
  void columnsAreAligned() {
    List<String> lines = TableText.aligned(gemm()).lines().toList();
    assertEquals(
        1, lines.stream().limit(3).map(line -> line.length()).distinct().count(), String.join("\n", lines));
    assertTrue(TableText.markdown(gemm()).startsWith("|  | threads | time | ± |"), TableText.markdown(gemm()));
  }

  @Test
  void thePageNeedsNothingButItself(@TempDir Path folder) throws IOException {
    Report.write(run, folder);
    String page = Files.readString(folder.resolve(Report.FILE));
    for (String reference : List.of("http:", "https:", "//", "src=", "href", "url(", "@import", "<script", "<link")) {
      assertFalse(page.contains(reference), reference);
    }
    for (String part : List.of(
        "prefers-color-scheme: dark",
        "libmkl &lt;is&gt; not here",
        "Roofline",
        "<svg",
        "abcdef",
        "MB at most",
        "BLOCK")) {
      assertTrue(page.contains(part), part);
    }
    assertFalse(
        page.contains("NaN"),
        () -> page.lines().filter(line -> line.contains("NaN")).toList().toString());
    for (String name : List.of("roofline", "threads", "gemm", "depth-time", "depth-memory")) {
      assertTrue(ImageIO.read(folder.resolve(name + ".png").toFile()).getWidth() > 800, name);
    }
  }

  @Test
  void aRunWithoutAnythingMeasuredHasAPageToo(@TempDir Path folder) throws IOException {
    Report.write(
        new Results(
            Effort.QUICK,
            Runs.environment("CPU"),
            run.suites(),
            List.of(Result.blank(Runs.gemm("1", "fovea", 1), "no memory"))),
        folder);
    assertTrue(Files.readString(folder.resolve(Report.FILE)).contains("fovea is blank: no memory"));
  }

  @Test
  void theReadmesRegionIsReplacedAndNothingElse(@TempDir Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve("README.md"), "a\n<!-- bench:begin -->\nold\n<!-- bench:end -->\nb\n");
    Readme readme = new Readme(run);
    Readme.replace(file, "bench", readme.summary(".pictures", "bench/RESULTS.md"));
    String text = Files.readString(file);
    assertTrue(text.startsWith("a\n<!-- bench:begin -->\nMeasured by `./fovea bench` on CPU, 2 cores"), text);
    assertTrue(text.endsWith("<!-- bench:end -->\nb\n"), text);
    assertTrue(text.contains("| Products of matrices, F32 | time | of peak | to OpenBLAS | to MKL |"), text);
    assertTrue(text.contains("| 1 × 2 × 3 | 20.0 µs / 12.0 µs | 50 % / 42 % | 0.50 / – | 1.50 / – |"), text);
    assertTrue(text.contains("are of 1 / 2 threads. Confidence intervals of Fovea's times here: ±"), text);
    assertFalse(text.contains("depth"), "that is for those who ask for more");
    assertTrue(text.contains("](.pictures/bench-roofline.png)"), text);
    assertFalse(text.contains("old"), text);
    assertTrue(readme.tables("../.pictures").contains("## depth"), "all suites");
    readme.pictures(folder);
    assertTrue(Files.exists(folder.resolve("bench-gemm.png")));
  }

  @Test
  void answersThatDifferAreToldAndEqualOnesPass() {
    float[] expected = {1, -2, Float.NaN, Float.POSITIVE_INFINITY};
    assertWrong("mkl: got 3 values, expected 4", new float[3], expected, 1);
    assertWrong("mkl: got NaN at 0, expected 1.0", new float[] {Float.NaN, 2}, new float[] {1, 2}, 1);
    assertWrong("mkl: got -2.1 at 1, expected -2.0 within 2.00e-02", new float[] {1, -2.1f}, new float[] {1, -2}, 0.01);
    assertWrong("mkl: cannot be compared", new float[2], new float[2], 1);
    Answers.check("mkl", new float[] {1.01f, -2}, new float[] {1, -2}, 0.01);
    assertArrayEquals(expected, expected.clone());
  }

  private static void assertWrong(String message, float[] answer, float[] expected, double tolerance) {
    var wrong = org.junit.jupiter.api.Assertions.assertThrows(
        Answers.WrongAnswer.class, () -> Answers.check("mkl", answer, expected, tolerance));
    assertTrue(String.valueOf(wrong.getMessage()).startsWith(message), wrong.getMessage());
  }
}
