package dev.fovea.vit.cli;

import dev.fovea.kernels.DType;
import dev.fovea.tensor.Device;
import dev.fovea.vit.Vit;
import java.io.IOException;
import java.nio.file.Path;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;
import picocli.CommandLine.Spec.Target;

/** Where a command runs its model, and in which numbers. */
final class ComputeArguments {
  /** What models compute in. */
  private enum Numbers {
    F32(DType.F32),
    BF16(DType.BF16);

    private final DType dtype;

    Numbers(DType dtype) {
      this.dtype = dtype;
    }
  }

  @Spec(Target.MIXEE)
  private CommandSpec spec;

  @Option(
      names = "--device",
      paramLabel = "NAME",
      defaultValue = "cpu",
      description = "Where to compute: cpu, cuda (or cuda:N, as ./fovea devices lists them), or auto, the first GPU if"
          + " there is one (default: ${DEFAULT-VALUE}).")
  private String device;

  @Option(
      names = "--dtype",
      defaultValue = "F32",
      description = "Numbers to compute in: ${COMPLETION-CANDIDATES}; BF16 takes half of the memory, is faster on GPUs,"
          + " and keeps two to three digits (default: ${DEFAULT-VALUE}).")
  private Numbers dtype;

  ComputeArguments() {
    device = "cpu";
    dtype = Numbers.F32;
  }

  /** Loads a model there. */
  Vit load(Path model) throws IOException {
    Device where;
    try {
      where = Device.named(device);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), "--" + e.getMessage(), e);
    }
    return Vit.load(model, where, dtype.dtype);
  }
}
