package dev.fovea.bench.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;

/**
 * What became faster or slower from one run to another. A change counts where both hold:
 *
 * <ul>
 *   <li>the {@linkplain Estimate confidence intervals} of the two do not overlap, and
 *   <li>the medians differ by more than 3 % where both runs have three processes or more, else by more than 10 %:
 *       intervals over the iterations of one process do not know how processes differ.
 * </ul>
 *
 * @param changes of every subject that both runs measured
 * @param broken subjects of Fovea that were measured before and fail now
 * @param added measured in the second run alone
 * @param missing measured in the first run alone
 */
public record Comparison(List<Change> changes, List<Result> broken, List<Subject> added, List<Subject> missing) {
  /** The least difference of medians that counts. */
  public static final double LEAST = 0.03;

  /** The same where a run has fewer than three processes. */
  public static final double LEAST_OF_FEW = 0.10;

  /** What a change is. */
  public enum Verdict {
    /** Beyond noise. */
    FASTER,
    /** Beyond noise. */
    SLOWER,
    /** Within noise, or too little to matter. */
    SAME
  }

  /**
   * One subject in both runs.
   *
   * @param subject what was measured
   * @param before in the first run
   * @param after in the second
   * @param speedup how many times faster the second is
   * @param verdict what to make of it
   */
  public record Change(Subject subject, Result before, Result after, double speedup, Verdict verdict) {}

  /** Compares two runs. */
  public static Comparison of(Results a, Results b) {
    Map<Subject, Result> old = bySubject(a);
    Map<Subject, Result> now = bySubject(b);
    List<Change> changes = new ArrayList<>();
    List<Result> broken = new ArrayList<>();
    List<Subject> added = new ArrayList<>();
    List<Subject> missing = new ArrayList<>();
    now.forEach((subject, result) -> {
      Result was = old.get(subject);
      boolean measured = was != null && was.isMeasured();
      if (was != null && measured && result.isMeasured() && was.unit().equals(result.unit())) {
        changes.add(change(was, result));
      } else if (measured && result.failed() && subject.isFovea()) {
        broken.add(result);
      } else if (result.isMeasured()) {
        added.add(subject);
      }
    });
    old.forEach((subject, result) -> {
      Result is = now.get(subject);
      if (result.isMeasured() && (is == null || !is.isMeasured() && !is.failed())) {
        missing.add(subject);
      }
    });
    return new Comparison(changes, broken, added, missing);
  }

  private static Map<Subject, Result> bySubject(Results run) {
    Map<Subject, Result> all = new LinkedHashMap<>();
    run.results().stream()
        .filter(result -> !result.subject().suite().equals(Limits.SUITE))
        .forEach(result -> all.put(result.subject(), result));
    return all;
  }

  private static Change change(Result before, Result after) {
    Estimate old = Estimate.of(before.samples());
    Estimate now = Estimate.of(after.samples());
    double speedup = before.isTime() ? old.median() / now.median() : now.median() / old.median();
    boolean few = Math.min(old.forks(), now.forks()) < Estimate.ENOUGH_FORKS;
    boolean apart = old.high() < now.low() || now.high() < old.low();
    boolean much = Math.max(speedup, 1 / speedup) > 1 + (few ? LEAST_OF_FEW : LEAST);
    Verdict verdict = !apart || !much ? Verdict.SAME : speedup > 1 ? Verdict.FASTER : Verdict.SLOWER;
    return new Change(before.subject(), before, after, speedup, verdict);
  }

  /** The changes of Fovea's own that are this. */
  public List<Change> fovea(Verdict verdict) {
    return changes.stream()
        .filter(change -> change.subject().isFovea() && change.verdict() == verdict)
        .toList();
  }

  /** Whether Fovea became slower somewhere, or fails where it did not. */
  public boolean isRegression() {
    return !broken.isEmpty() || !fovea(Verdict.SLOWER).isEmpty();
  }

  /** By how much the peers' speed changed, which only the machine can have done: their median; NaN without peers. */
  public double peers() {
    double[] speedups = changes.stream()
        .filter(change -> !change.subject().isFovea())
        .mapToDouble(Change::speedup)
        .sorted()
        .toArray();
    return speedups.length == 0 ? Double.NaN : speedups[speedups.length / 2];
  }

  /** What differs between two machines so that their times cannot be compared, in words; empty where nothing does. */
  public static List<String> otherMachine(Environment a, Environment b) {
    return differences(
        a,
        b,
        Map.of(
            "processor",
            Environment::cpu,
            "cores",
            environment -> String.valueOf(environment.cores()),
            "vectors",
            Environment::vectors,
            "GPU",
            environment -> Objects.requireNonNullElse(environment.gpu(), "none")));
  }

  /** What else differs, which may explain a change. */
  public static List<String> otherSoftware(Environment a, Environment b) {
    return differences(
        a,
        b,
        Map.of(
            "JVM",
            Environment::jvm,
            "flags",
            environment -> String.join(" ", environment.jvmFlags()),
            "operating system",
            Environment::os,
            "peers",
            environment -> environment.peers().toString()));
  }

  private static List<String> differences(
      Environment a, Environment b, Map<String, Function<Environment, String>> properties) {
    return properties.entrySet().stream()
        .filter(
            property -> !property.getValue().apply(a).equals(property.getValue().apply(b)))
        .map(property -> "%s: %s, then %s"
            .formatted(
                property.getKey(),
                property.getValue().apply(a),
                property.getValue().apply(b)))
        .sorted()
        .toList();
  }
}
