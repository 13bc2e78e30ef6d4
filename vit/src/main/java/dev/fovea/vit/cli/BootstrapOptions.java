package dev.fovea.vit.cli;

import dev.fovea.vit.scaling.Bootstrap;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Spec.Target;

/** How confidence intervals are found. */
final class BootstrapOptions {
  @Spec(Target.MIXEE)
  private CommandSpec spec;

  @Option(
      names = "--confidence",
      paramLabel = "P",
      defaultValue = "0.95",
      description = "Confidence of the intervals (default: ${DEFAULT-VALUE}).")
  private double confidence;

  @Option(
      names = "--samples",
      paramLabel = "N",
      defaultValue = "400",
      description = "Fits to runs made anew, which the intervals come from (default: ${DEFAULT-VALUE}).")
  private int samples;

  @Option(
      names = "--seed",
      paramLabel = "N",
      defaultValue = "0",
      description = "Of these runs: the same seed gives the same intervals.")
  private long seed;

  Bootstrap get() {
    try {
      return new Bootstrap(samples, confidence, seed);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), "--" + e.getMessage(), e);
    }
  }
}
