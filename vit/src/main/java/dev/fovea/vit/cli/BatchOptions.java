package dev.fovea.vit.cli;

import dev.fovea.vit.Inference;
import dev.fovea.vit.image.Picture;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Spec.Target;

/** How pictures are read and run. */
final class BatchOptions {
  @Spec(Target.MIXEE)
  private CommandSpec spec;

  private long maxPixels;
  private int batch;

  @Option(
      names = "--max-pixels",
      paramLabel = "N",
      defaultValue = "" + Picture.MAX_PIXELS,
      description = "Refuse larger pictures (default: ${DEFAULT-VALUE}).")
  void maxPixels(long pixels) {
    if (pixels < 1) {
      throw new ParameterException(spec.commandLine(), "--max-pixels: got " + pixels + ", expected at least 1");
    }
    maxPixels = pixels;
  }

  @Option(
      names = "--batch",
      paramLabel = "N",
      defaultValue = "8",
      description = "Pictures that run at once (default: ${DEFAULT-VALUE}).")
  void batch(int pictures) {
    if (pictures < 1) {
      throw new ParameterException(spec.commandLine(), "--batch: got " + pictures + ", expected at least 1");
    }
    batch = pictures;
  }

  Inference.Options options() {
    return new Inference.Options(batch, maxPixels);
  }
}
