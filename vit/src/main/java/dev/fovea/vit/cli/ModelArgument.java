package dev.fovea.vit.cli;

import java.nio.file.Path;
import picocli.CommandLine.Parameters;

/** The model that a command runs. */
final class ModelArgument {
  @Parameters(
      index = "0",
      paramLabel = "MODEL",
      description = "Folder or file of a model, as downloaded (timm, transformers, big_vision).")
  private Path path = Path.of("");

  Path path() {
    return path;
  }
}
