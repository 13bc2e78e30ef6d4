package dev.fovea.vit.cli;

import dev.fovea.vit.model.ParameterShapes;
import dev.fovea.vit.model.VitConfig;
import dev.fovea.vit.train.Evaluation;
import dev.fovea.vit.train.Listener;
import dev.fovea.vit.train.TrainRun;
import java.io.Console;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.Duration;
import me.tongfei.progressbar.ConsoleProgressBarConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarStyle;
import org.jspecify.annotations.Nullable;

/** Shows a run: as a bar on a terminal, else as a line now and then. */
final class TrainProgress implements Listener, AutoCloseable {
  private static final int LINES = 20;
  private static final double MEGA = 1e6;

  private final PrintWriter out;
  private final boolean terminal;
  private @Nullable ProgressBar bar;
  private long started = System.nanoTime();
  private long first = -1;

  @SuppressWarnings("SystemConsoleNull") // Nullable by its annotation.
  TrainProgress(PrintWriter out) {
    this.out = out;
    Console console = System.console();
    terminal = console != null && console.isTerminal();
  }

  void begin(Path folder, TrainRun run) {
    VitConfig config = run.model().config();
    out.printf(
        "training %s: %d x %d pixels, patches of %d, width %d, depth %d, %,d parameters, %s blocks%n",
        folder,
        config.imageHeight(),
        config.imageWidth(),
        config.patchWidth(),
        config.width(),
        config.depth(),
        ParameterShapes.count(config),
        config.block().name().toLowerCase(java.util.Locale.ROOT));
    started = System.nanoTime();
  }

  @Override
  public void step(Step step) {
    if (first < 0) {
      first = step.step() - 1;
    }
    String accuracy = Double.isNaN(step.accuracy()) ? "" : ", accuracy %.1f %%".formatted(100 * step.accuracy());
    String text = "loss %.3f%s, %.0f images/s, %.0f MB"
        .formatted(step.loss(), accuracy, step.imagesPerSecond(), step.peakBytes() / MEGA);
    if (terminal) {
      bar(step.steps()).stepTo(step.step()).setExtraMessage(" " + text);
    } else if (step.step() == 1 || step.step() % Math.max(1, step.steps() / LINES) == 0) {
      out.printf("step %d/%d: %s, %s left%n", step.step(), step.steps(), text, left(step));
    }
  }

  private ProgressBar bar(long steps) {
    ProgressBar made = bar;
    if (made == null) {
      made = new ProgressBarBuilder()
          .setTaskName("training")
          .setInitialMax(steps)
          .setStyle(ProgressBarStyle.COLORFUL_UNICODE_BAR)
          .setUpdateIntervalMillis(200)
          .setConsumer(new ConsoleProgressBarConsumer(System.out))
          .build();
      bar = made;
    }
    return made;
  }

  private String left(Step step) {
    double perStep = (System.nanoTime() - started) * 1e-9 / (step.step() - first);
    Duration time = Duration.ofSeconds(Math.round(perStep * (step.steps() - step.step())));
    return "%d:%02d min".formatted(time.toMinutes(), time.toSecondsPart());
  }

  @Override
  public void evaluation(long step, Evaluation evaluation) {
    say("step %d: validation %s".formatted(step, words(evaluation)));
  }

  private static String words(Evaluation evaluation) {
    return evaluation.classifies()
        ? "accuracy %.1f %%, loss %.3f".formatted(100 * evaluation.accuracy(), evaluation.loss())
        : "loss %.4f".formatted(evaluation.loss());
  }

  @Override
  public void message(String message) {
    say(message);
  }

  /** A line that stays, above the bar. */
  private void say(String line) {
    if (bar == null) {
      out.println(line);
    } else {
      System.out.print("\r\u001b[K" + line + "\n");
      bar.refresh();
    }
  }

  void end(Path folder, TrainRun.Outcome outcome) {
    close();
    Evaluation evaluation = outcome.evaluation();
    if (outcome.finished() && evaluation != null) {
      out.printf(
          "done: validation %s after %d steps; model, metrics and pictures are in %s%n",
          words(evaluation), outcome.step(), folder);
      if (!evaluation.classifies()) {
        out.printf("fine-tune it with: ./fovea train --model %s%n", folder.resolve("model"));
      }
    } else {
      out.printf("stopped after step %d; go on with: ./fovea train --resume --out %s%n", outcome.step(), folder);
    }
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
      bar = null;
    }
  }
}
