package dev.fovea.bench.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.bench.LaunchBenchmark;
import dev.fovea.bench.kernel.GemmBenchmark;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Which trials a class of benchmarks becomes. */
class JmhSuiteTest {
  private static JmhSuite products() {
    return JmhSuite.of("products", "some", GemmBenchmark.class)
        .choose(Effort.FULL, "by", "fovea", "peer")
        .choose(Effort.FULL, "shape", "1x1x1", "2x2x2", "3x3x3");
  }

  private static List<Subject> subjects(JmhSuite suite, Effort effort, Integer... threads) {
    return suite.trials(effort, List.of(threads)).stream().map(Trial::subject).toList();
  }

  private static Subject product(String shape, String by, int threads) {
    return new Subject("products", "run", Map.of("shape", shape), by, threads);
  }

  @Test
  void whatIsComparedIsMeasuredOneAfterTheOther() {
    JmhSuite suite = products().choose(Effort.NORMAL, "shape", "1x1x1", "2x2x2").choose(Effort.QUICK, "shape", "2x2x2");
    assertEquals(
        List.of(
            product("2x2x2", "fovea", 1),
            product("2x2x2", "peer", 1),
            product("2x2x2", "fovea", 4),
            product("2x2x2", "peer", 4)),
        subjects(suite, Effort.QUICK, 1, 4));
    assertEquals(4, subjects(suite, Effort.NORMAL, 1).size());
    assertEquals(6, subjects(suite, Effort.FULL, 1).size());
  }

  @Test
  void anEffortTakesTheNextLargerChoice() {
    JmhSuite suite = products().choose(Effort.NORMAL, "shape", "3x3x3");
    assertEquals(List.of(product("3x3x3", "fovea", 2), product("3x3x3", "peer", 2)), subjects(suite, Effort.QUICK, 2));
  }

  @Test
  void impossibleSubjectsAreLeftOut() {
    JmhSuite suite = products()
        .where(subject -> subject.isFovea() || subject.parameter("shape").equals("1x1x1"));
    assertEquals(4, subjects(suite, Effort.FULL, 1).size());
  }

  @Test
  void lessEffortMeasuresFewerThreadsAndSubjects() {
    JmhSuite suite = products()
        .allThreadsFrom(Effort.FULL)
        .whereBelow(Effort.FULL, subject -> !subject.parameter("shape").equals("2x2x2"));
    assertEquals(12, subjects(suite, Effort.FULL, 1, 4).size());
    assertEquals(
        List.of(
            product("1x1x1", "fovea", 4),
            product("1x1x1", "peer", 4),
            product("3x3x3", "fovea", 4),
            product("3x3x3", "peer", 4)),
        subjects(suite, Effort.NORMAL, 1, 4));
  }

  @Test
  void aScriptCanBeWhoComputes() {
    Trial peer = products()
        .script("peer", "peer.py", subject -> List.of(subject.parameter("shape")))
        .trials(Effort.QUICK, List.of(1))
        .get(1);
    assertEquals(new ScriptTrial(product("1x1x1", "peer", 1), "peer.py", List.of("1x1x1"), 0), peer);
  }

  @Test
  void methodsCanBeWhoComputes() {
    JmhSuite suite = JmhSuite.of("launch", "some", LaunchBenchmark.class).methodsAreVariants();
    assertEquals(
        List.of(
            new Subject("launch", "run", Map.of(), "fovea", 1),
            new Subject("launch", "run", Map.of(), "jcudaOneBuffer", 1),
            new Subject("launch", "run", Map.of(), "jcudaPointers", 1)),
        subjects(suite, Effort.QUICK, 1));
  }

  @Test
  void moreEffortTakesLonger() {
    JmhSuite suite = JmhSuite.of("launch", "some", LaunchBenchmark.class);
    Trial trial = suite.trials(Effort.QUICK, List.of(1)).getFirst();
    assertTrue(trial.seconds(Effort.QUICK) < trial.seconds(Effort.NORMAL), trial.toString());
    assertTrue(trial.seconds(Effort.NORMAL) < trial.seconds(Effort.FULL), trial.toString());
    assertEquals(
        trial.seconds(Effort.NORMAL) + 3 * 2,
        suite.setupTakes(2).trials(Effort.QUICK, List.of(1)).getFirst().seconds(Effort.NORMAL),
        1e-9);
  }
}
