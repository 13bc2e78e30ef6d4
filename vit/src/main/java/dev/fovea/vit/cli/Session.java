package dev.fovea.vit.cli;

import dev.fovea.vit.train.Listener;
import dev.fovea.vit.train.TrainRun;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;

/** Runs a training to its end or to Ctrl-C, and shows how it goes. */
final class Session {
  private Session() {}

  /** Opens a run, which may write to its listener already. */
  interface Opening {
    TrainRun open(Listener listener) throws IOException;
  }

  static void run(PrintWriter out, Path folder, Opening opening) throws IOException {
    try (Interrupt interrupt = new Interrupt();
        TrainProgress progress = new TrainProgress(out);
        TrainRun run = opening.open(progress)) {
      progress.begin(folder, run);
      TrainRun.Outcome outcome = run.train(interrupt::requested);
      progress.end(folder, outcome);
    }
  }
}
