package dev.fovea.vit.cli;

import java.io.Console;
import java.io.PrintWriter;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/** How far pictures are: as a bar on a terminal, else as a line now and then. Goes to standard error. */
final class Progress implements AutoCloseable {
  private static final long NANOS_BETWEEN_LINES = 5_000_000_000L;

  private final PrintWriter err;
  private final String task;
  private final int total;
  private final @Nullable ProgressBar bar;
  private final long started = System.nanoTime();
  private long lastLine = started;
  private int done;

  Progress(PrintWriter err, String task, int total) {
    this.err = err;
    this.task = task;
    this.total = total;
    bar = isTerminal()
        ? new ProgressBarBuilder()
            .setTaskName(task)
            .setInitialMax(total)
            .setUnit(" pictures", 1)
            .showSpeed()
            .setStyle(ProgressBarStyle.COLORFUL_UNICODE_BAR)
            .setUpdateIntervalMillis(200)
            .setConsumer(new ConsoleProgressBarConsumer(System.err))
            .build()
        : null;
  }

  @SuppressWarnings("SystemConsoleNull") // With -Djdk.console=java.base there may be none.
  private static boolean isTerminal() {
    Console console = System.console();
    return console != null && console.isTerminal();
  }

  /** One more is done. */
  void step() {
    done++;
    if (bar != null) {
      bar.step();
    } else if (System.nanoTime() - lastLine > NANOS_BETWEEN_LINES) {
      lastLine = System.nanoTime();
      err.printf("%s: %d of %d, %s%n", task, done, total, speed());
    }
  }

  /** Says something without breaking the bar. */
  void say(String line) {
    if (bar == null) {
      err.println(line);
    } else {
      System.err.print("\r\u001b[K" + line + System.lineSeparator());
      bar.refresh();
    }
  }

  double seconds() {
    return (System.nanoTime() - started) * 1e-9;
  }

  String speed() {
    return "%.1f pictures/s".formatted(done / Math.max(1e-9, seconds()));
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
    }
  }
}
