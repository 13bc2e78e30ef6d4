package dev.fovea.vit.cli;

import dev.fovea.vit.Inference;
import java.io.IOException;
import java.nio.file.Path;
import java.util.function.Consumer;
import picocli.CommandLine.ExitCode;

/** Results in which a file that cannot be read is reported and counted, and ends nothing. */
abstract class Failures implements Inference.Results {
  private final Consumer<String> say;
  private int count;

  Failures(Consumer<String> say) {
    this.say = say;
  }

  @Override
  public void failed(Path file, IOException failure) {
    count++;
    say.accept("fovea: " + Errors.sentence(failure));
  }

  int count() {
    return count;
  }

  /** Says how many failed, if any did. */
  int exitCode(int files) {
    if (count > 0) {
      say.accept("fovea: %d of %d pictures could not be read".formatted(count, files));
    }
    return count == 0 ? ExitCode.OK : ExitCode.SOFTWARE;
  }
}
