package dev.fovea.bench.cli;

import dev.fovea.bench.cli.RunCommand.Plan;
import dev.fovea.bench.report.Effort;
import dev.fovea.bench.report.Trial;
import java.io.Console;
import java.io.PrintWriter;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/** How far a suite is: a bar on a terminal, else a line now and then. Goes to standard error. */
final class Progress implements AutoCloseable {
  private static final long NANOS_BETWEEN_LINES = 10_000_000_000L;

  private final PrintWriter err;
  private final Effort effort;
  private final Clock clock;
  private final int total;
  private final @Nullable ProgressBar bar;
  private int begun;
  private int steps;
  private long lastLine = System.nanoTime();

  Progress(PrintWriter err, String suite, Plan plan, Effort effort, Clock clock) {
    this.err = err;
    this.effort = effort;
    this.clock = clock;
    total = plan.trials().size();
    int iterations = total * stepsOfTrial();
    bar = isTerminal() && total > 0
        ? new ProgressBarBuilder()
            .setTaskName(suite)
            .hideEta()
            .setInitialMax(iterations)
            .setStyle(ProgressBarStyle.COLORFUL_UNICODE_BAR)
            .setUpdateIntervalMillis(250)
            .clearDisplayOnFinish()
            .setConsumer(new ConsoleProgressBarConsumer(System.err))
            .build()
        : null;
  }

  private int stepsOfTrial() {
    return effort.forks() * (effort.warmups() + effort.iterations());
  }

  @SuppressWarnings("SystemConsoleNull") // With -Djdk.console=java.base there may be none.
  private static boolean isTerminal() {
    Console console = System.console();
    return console != null && console.isTerminal();
  }

  void begin(Trial trial) {
    begun++;
    steps = 0;
    if (bar != null) {
      bar.setExtraMessage(" " + trial.subject() + ", " + Clock.words(clock.left()) + " left in all");
      bar.refresh();
    } else if (System.nanoTime() - lastLine > NANOS_BETWEEN_LINES) {
      lastLine = System.nanoTime();
      err.printf("  %d of %d: %s; about %s left in all%n", begun, total, trial.subject(), Clock.words(clock.left()));
    }
  }

  /** An iteration is done. */
  void step() {
    steps++;
    if (bar != null && steps <= stepsOfTrial()) {
      bar.step();
    }
  }

  void end(Trial trial) {
    clock.done(trial.seconds(effort));
    if (bar != null) {
      bar.stepTo((long) begun * stepsOfTrial());
    }
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
    }
  }
}
