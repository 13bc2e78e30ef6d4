package dev.fovea.vit.cli;

import dev.fovea.vit.scaling.Sweep;
import dev.fovea.vit.scaling.SweepResult;
import dev.fovea.vit.scaling.SweepRunner;
import dev.fovea.vit.train.Evaluation;
import java.io.Console;
import java.io.PrintWriter;
import java.time.Duration;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/** Shows a sweep: a line for each model, and on a terminal a bar for the one that is trained. */
final class SweepProgress implements SweepRunner.Watcher, AutoCloseable {
  /** What must be done before the rest can be guessed. */
  private static final double LEAST_SHARE = 0.03;

  private final PrintWriter out;
  private final boolean terminal;
  private final long started = System.nanoTime();
  private @Nullable ProgressBar bar;
  private String label = "";
  private double done;

  /** What was done before this sweep began, which says nothing about its speed. */
  private double skipped;

  private double share;

  @SuppressWarnings("SystemConsoleNull") // Nullable by its annotation.
  SweepProgress(PrintWriter out) {
    this.out = out;
    Console console = System.console();
    terminal = console != null && console.isTerminal();
  }

  @Override
  public void begin(Sweep.Point point, int number, int of, double behind) {
    share = behind;
    done = behind;
    label = "%d/%d %s".formatted(number, of, point.name());
  }

  @Override
  public void step(Step step) {
    if (terminal) {
      ProgressBar made = bar;
      if (made == null) {
        made = new ProgressBarBuilder()
            .setTaskName(label)
            .setInitialMax(step.steps())
            .setStyle(ProgressBarStyle.COLORFUL_UNICODE_BAR)
            .setUpdateIntervalMillis(200)
            .setConsumer(new ConsoleProgressBarConsumer(System.out))
            .build();
        bar = made;
      }
      made.stepTo(step.step()).setExtraMessage(" loss %.3f%s".formatted(step.loss(), left()));
    }
  }

  private String left() {
    double worked = share - skipped;
    if (worked < LEAST_SHARE) {
      return "";
    }
    double seconds = (System.nanoTime() - started) * 1e-9 / worked * (1 - done);
    Duration time = Duration.ofSeconds(Math.round(seconds));
    return ", about %d:%02d min left".formatted(time.toMinutes(), time.toSecondsPart());
  }

  @Override
  public void end(SweepResult result, boolean already) {
    close();
    if (already) {
      skipped = share;
      out.printf("%s: error %.3f, trained before%n", label, result.error());
    } else {
      out.printf(
          "%s: error %.3f, %,d parameters, compute %.4g, %.1f s%s%n",
          label, result.error(), result.parameters(), result.compute(), result.seconds(), left());
    }
  }

  @Override
  public void failed(Sweep.Point point, Exception reason) {
    close();
    out.printf("%s: failed: %s%n", label, reason.getMessage());
  }

  @Override
  public void evaluation(long step, Evaluation evaluation) {}

  @Override
  public void message(String message) {}

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
      bar = null;
    }
  }
}
