package dev.fovea.bench.cli;

import dev.fovea.bench.cli.RunCommand.Plan;
import dev.fovea.bench.report.Effort;
import dev.fovea.bench.report.Environment;
import dev.fovea.bench.report.Limits;
import dev.fovea.bench.report.Result;
import dev.fovea.bench.report.Results;
import dev.fovea.bench.report.SuiteNote;
import dev.fovea.bench.report.Table;
import dev.fovea.bench.report.TableText;
import dev.fovea.bench.report.Trial;
import dev.fovea.bench.report.Unavailable;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;

/** One run: measures suite after suite, says what it found, and keeps it as it goes. */
final class Session {
  private final Effort effort;
  private final Environment environment;
  private final Path folder;
  private final PrintWriter out;
  private final PrintWriter err;
  private final List<SuiteNote> notes = new ArrayList<>();
  private final List<Result> results = new ArrayList<>();

  Session(Effort effort, Environment environment, Path folder, PrintWriter out, PrintWriter err) {
    this.effort = effort;
    this.environment = environment;
    this.folder = folder;
    this.out = out;
    this.err = err;
  }

  /** Measures all; a measurement that fails is noted, and the rest goes on. */
  Results run(List<Plan> plans) throws IOException {
    out.printf(
        "%s, %d cores, %s; %s%n", environment.cpu(), environment.cores(), environment.vectors(), environment.jvm());
    Clock clock =
        new Clock(plans.stream().mapToDouble(plan -> plan.seconds(effort)).sum());
    out.printf("about %s; everything printed goes to %s%n", Clock.words(clock.left()), folder.resolve("bench.log"));
    try (PrintStream log =
        new PrintStream(Files.newOutputStream(folder.resolve("bench.log")), true, StandardCharsets.UTF_8)) {
      for (Plan plan : plans) {
        SuiteNote note = plan.suite().note();
        if (!note.name().equals(Limits.SUITE)) {
          notes.add(note);
        }
        try (Progress progress = new Progress(err, note.name(), plan, effort, clock)) {
          for (Trial trial : plan.trials()) {
            progress.begin(trial);
            results.add(measure(trial, log, progress::step));
            progress.end(trial);
            results().write(folder);
          }
        }
        tell(note);
      }
    }
    return results();
  }

  private Results results() {
    return new Results(effort, environment, List.copyOf(notes), List.copyOf(results));
  }

  private Result measure(Trial trial, PrintStream log, Runnable step) {
    try {
      return trial.run(effort, log, step);
    } catch (Unavailable e) {
      return Result.blank(trial.subject(), words(e));
    } catch (Exception e) {
      if (words(e).contains("JMH lock")) {
        throw new IllegalStateException(
            "another JMH benchmark runs on this machine, and each would disturb the other", e);
      }
      e.printStackTrace(log);
      return Result.failure(trial.subject(), words(e));
    }
  }

  private static String words(Throwable e) {
    return Objects.requireNonNullElse(e.getMessage(), e.toString());
  }

  private void tell(SuiteNote note) {
    if (note.name().equals(Limits.SUITE)) {
      Limits limits = Limits.of(results());
      for (int threads : limits.threads()) {
        out.printf(
            "%d %s: at most %.0f GFLOP/s of multiply-adds, %.1f GB/s of memory%n",
            threads, threads == 1 ? "thread" : "threads", limits.flops(threads) / 1e9, limits.bytes(threads) / 1e9);
      }
      return;
    }
    tell(results(), note, out);
  }

  /** Prints the table of a suite, and what there is to say about it. */
  static void tell(Results results, SuiteNote note, PrintWriter out) {
    Table table = new Table(results, note);
    out.printf("%n%s: %s%n%n%s", note.name(), note.title(), TableText.aligned(table));
    if (!table.peers().isEmpty()) {
      out.println("to PEER: how many times faster Fovea is");
    }
    table.notes().forEach(out::println);
  }
}
