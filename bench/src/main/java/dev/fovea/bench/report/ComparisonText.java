package dev.fovea.bench.report;

import dev.fovea.bench.report.Comparison.Change;
import dev.fovea.bench.report.Comparison.Verdict;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;

/** A comparison in words. */
public final class ComparisonText {
  private static final int NAMED = 12;

  private ComparisonText() {}

  /** What became slower first, then what became faster; what did not change is counted. */
  public static String of(Comparison comparison) {
    StringBuilder text = new StringBuilder();
    comparison.broken().forEach(result -> text.append("failed  %s: %s%n".formatted(result.subject(), result.reason())));
    List<Change> slower = comparison.fovea(Verdict.SLOWER);
    List<Change> faster = comparison.fovea(Verdict.FASTER);
    List<Change> shown = new ArrayList<>(
        slower.stream().sorted(Comparator.comparingDouble(Change::speedup)).toList());
    shown.addAll(faster.stream()
        .sorted(Comparator.comparingDouble(Change::speedup).reversed())
        .toList());
    int width = shown.stream()
        .mapToInt(change -> change.subject().toString().length())
        .max()
        .orElse(0);
    for (Change change : shown) {
      text.append(String.format(
          Locale.ROOT,
          "%s  %-" + width + "s  %18s -> %-18s  %+.1f %%%n",
          change.verdict().name().toLowerCase(Locale.ROOT),
          change.subject(),
          value(change.before()),
          value(change.after()),
          100 * (change.speedup() - 1)));
    }
    text.append("%d faster, %d slower, %d within noise"
        .formatted(faster.size(), slower.size(), comparison.fovea(Verdict.SAME).size()));
    if (!comparison.broken().isEmpty()) {
      text.append(", %d failed".formatted(comparison.broken().size()));
    }
    text.append('\n');
    names(text, "only in the second run", comparison.added());
    names(text, "only in the first run", comparison.missing());
    if (!Double.isNaN(comparison.peers())) {
      text.append(String.format(
          Locale.ROOT,
          "the peers' speed changed by %+.1f %% (median): as much may be the machine's doing%n",
          100 * (comparison.peers() - 1)));
    }
    text.append("A change counts where the confidence intervals do not overlap and the medians differ by more than"
        + " %.0f %% (%.0f %% where a run has fewer than %d processes).%n"
            .formatted(100 * Comparison.LEAST, 100 * Comparison.LEAST_OF_FEW, Estimate.ENOUGH_FORKS));
    return text.toString();
  }

  private static String value(Result result) {
    Estimate estimate = Estimate.of(result.samples());
    String median =
        result.isTime() ? Units.time(1e-6 * estimate.median()) : Units.digits(estimate.median()) + result.unit();
    return Double.isFinite(estimate.error())
        ? "%s ± %.0f %%".formatted(median, 100 * estimate.error() / estimate.median())
        : median;
  }

  private static void names(StringBuilder text, String what, List<Subject> subjects) {
    if (subjects.isEmpty()) {
      return;
    }
    text.append("%s: %d%n".formatted(what, subjects.size()));
    subjects.stream()
        .limit(NAMED)
        .forEach(subject -> text.append("  ").append(subject).append('\n'));
    if (subjects.size() > NAMED) {
      text.append("  and %d more%n".formatted(subjects.size() - NAMED));
    }
  }
}
