package dev.fovea.bench.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.bench.report.Comparison.Verdict;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What counts as faster or slower, on times made up. */
class ComparisonTest {
  private static final Subject OURS = Runs.gemm("1x2x3", "fovea", 1);
  private static final Subject PEER = Runs.gemm("1x2x3", "mkl", 1);

  private static Comparison compare(Result before, Result after) {
    return Comparison.of(Runs.of(before), Runs.of(after));
  }

  private static Verdict verdict(Result before, Result after) {
    return compare(before, after).changes().getFirst().verdict();
  }

  @Test
  void beyondNoiseCounts() {
    Result before = Runs.times(OURS, 100, 100.5, 99.5);
    assertEquals(Verdict.SLOWER, verdict(before, Runs.times(OURS, 105, 105.5, 104.5)));
    assertEquals(Verdict.FASTER, verdict(before, Runs.times(OURS, 95, 95.5, 94.5)));
    assertTrue(compare(before, Runs.times(OURS, 105, 105.5, 104.5)).isRegression());
    assertFalse(compare(before, Runs.times(OURS, 95, 95.5, 94.5)).isRegression());
  }

  @Test
  void aSureButSmallChangeDoesNotCount() {
    assertEquals(Verdict.SAME, verdict(Runs.times(OURS, 100, 100.01, 99.99), Runs.times(OURS, 102.5, 102.51, 102.49)));
  }

  @Test
  void aLargeChangeOfUnsureTimesDoesNotCount() {
    assertEquals(Verdict.SAME, verdict(Runs.times(OURS, 100, 130, 70), Runs.times(OURS, 120, 150, 90)));
  }

  @Test
  void fewProcessesMustDifferByMore() {
    Result before = Runs.times(OURS, 100);
    assertEquals(Verdict.SAME, verdict(before, Runs.times(OURS, 108)));
    assertEquals(Verdict.SLOWER, verdict(before, Runs.times(OURS, 112)));
    assertEquals(Verdict.SAME, verdict(Runs.times(OURS, 100, 100.5, 99.5), Runs.times(OURS, 108)));
  }

  @Test
  void aSingleSampleProvesNothing() {
    Result before = Result.of(OURS, List.of(List.of(100.0)), Map.of());
    assertEquals(Verdict.SAME, verdict(before, Result.of(OURS, List.of(List.of(500.0)), Map.of())));
  }

  @Test
  void moreOfARateIsFaster() {
    assertEquals(Verdict.FASTER, verdict(rate(100), rate(120)));
    assertEquals(Verdict.SLOWER, verdict(rate(120), rate(100)));
  }

  private static Result rate(double mean) {
    List<List<Double>> samples =
        List.of(List.of(mean - 0.1, mean + 0.1), List.of(mean - 0.2, mean), List.of(mean, mean));
    return new Result(OURS, "images/s", samples, Map.of(), null, false);
  }

  @Test
  void peersCannotRegress() {
    Comparison comparison = compare(Runs.times(PEER, 100, 100.5, 99.5), Runs.times(PEER, 150, 150.5, 149.5));
    assertFalse(comparison.isRegression());
    assertEquals(100 / 150.0, comparison.peers(), 1e-6);
    assertTrue(
        ComparisonText.of(comparison).contains("the peers' speed changed by -33.3 %"), ComparisonText.of(comparison));
  }

  @Test
  void newAndMissingRowsAreNamedAndAreNoRegression() {
    Subject other = Runs.gemm("4x5x6", "fovea", 1);
    Comparison comparison = Comparison.of(
        Runs.of(Runs.times(OURS, 1, 1, 1), Result.blank(PEER, "not here")),
        Runs.of(Runs.times(other, 1, 1, 1), Runs.times(PEER, 1, 1, 1)));
    assertEquals(List.of(other, PEER), comparison.added());
    assertEquals(List.of(OURS), comparison.missing());
    assertFalse(comparison.isRegression());
    String text = ComparisonText.of(comparison);
    assertTrue(text.contains("only in the second run: 2") && text.contains("  gemm 4x5x6 fovea, 1 thread"), text);
    assertTrue(text.contains("only in the first run: 1"), text);
  }

  @Test
  void whatFailsNowIsARegression() {
    Comparison comparison = compare(Runs.times(OURS, 1, 1, 1), Result.failure(OURS, "got 1 at 0, expected 2"));
    assertTrue(comparison.isRegression());
    assertTrue(ComparisonText.of(comparison).startsWith("failed  gemm 1x2x3 fovea, 1 thread: got 1 at 0"));
    assertFalse(
        compare(Runs.times(PEER, 1, 1, 1), Result.failure(PEER, "broken")).isRegression());
  }

  @Test
  void theSlowestComesFirst() {
    Subject other = Runs.gemm("4x5x6", "fovea", 1);
    String text = ComparisonText.of(Comparison.of(
        Runs.of(Runs.times(OURS, 100, 100, 100), Runs.times(other, 100, 100, 100)),
        Runs.of(Runs.times(OURS, 110, 110, 110), Runs.times(other, 200, 200, 200))));
    assertTrue(
        text.lines().toList().getFirst().matches("slower  gemm 4x5x6 .*100 µs ± 0 % -> 200 µs ± 0 % .*-50.0 %"), text);
    assertTrue(text.contains("0 faster, 2 slower, 0 within noise"), text);
  }

  @Test
  void machinesAndSoftwareAreToldApart() {
    Environment here = Runs.environment("A");
    assertEquals(List.of(), Comparison.otherMachine(here, here));
    assertEquals(List.of("processor: A, then B"), Comparison.otherMachine(here, Runs.environment("B")));
    assertEquals(List.of(), Comparison.otherSoftware(here, Runs.environment("B")));
  }
}
