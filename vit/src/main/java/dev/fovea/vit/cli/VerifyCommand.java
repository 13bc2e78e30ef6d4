package dev.fovea.vit.cli;

import dev.fovea.tensor.io.TensorFile;
import dev.fovea.vit.Verification;
import dev.fovea.vit.Vit;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Compares a model with what another implementation computed. */
@Command(
    name = "verify",
    sortOptions = false,
    description = {
      "Compare a model with what another implementation computed from the same weights.",
      "Runs the pixels of one file and prints, for every tensor of the other, by how much the model differs: the"
          + " largest difference, and that difference relative to the tensor's largest magnitude (for a gradient at"
          + " least a hundredth of the largest gradient).",
      "Exits with 1 if one is over the tolerance or missing.",
      ""
    })
final class VerifyCommand implements Callable<Integer> {
  @Spec
  private CommandSpec spec;

  @Mixin
  private final ModelArgument model = new ModelArgument();

  @Option(
      names = "--input",
      paramLabel = "FILE",
      required = true,
      description = "Safetensors with pixel_values [batch, channels, height, width], and labels [batch] for a loss.")
  private Path input = Path.of("");

  @Option(
      names = "--expect",
      paramLabel = "FILE",
      required = true,
      description = "Safetensors with any of features or last_hidden_state, pre_logits or pooler_output, logits, loss,"
          + " grad.NAME (NAME as in the model's file).")
  private Path expect = Path.of("");

  @Option(
      names = "--tolerance",
      paramLabel = "X",
      defaultValue = "1e-4",
      description = "Largest relative error that passes (default: ${DEFAULT-VALUE}).")
  private double tolerance;

  @Mixin
  private final ComputeArguments compute = new ComputeArguments();

  @Override
  public Integer call() throws IOException {
    if (!(tolerance >= 0)) {
      throw new ParameterException(spec.commandLine(), "--tolerance: got " + tolerance + ", expected at least 0");
    }
    List<Verification.Result> results;
    try (TensorFile pixels = TensorFile.open(input);
        TensorFile expected = TensorFile.open(expect);
        Vit vit = compute.load(model.path())) {
      if (expected.names().isEmpty()) {
        throw new IllegalArgumentException(expect + ": got no tensors, expected some to compare with");
      }
      results = Verification.run(vit, pixels, expected);
    }
    long passed = print(results);
    return passed == results.size() ? 0 : 1;
  }

  private long print(List<Verification.Result> results) {
    PrintWriter out = spec.commandLine().getOut();
    int width = results.stream().mapToInt(r -> r.name().length()).max().orElse(0);
    String row = "%-" + Math.max(width, "tensor".length()) + "s  %10s  %10s  %s";
    out.println(row.formatted("tensor", "max error", "relative", ""));
    long passed = 0;
    for (Verification.Result result : results) {
      boolean within = result.within(tolerance);
      passed += within ? 1 : 0;
      if (result.problem().isEmpty()) {
        out.println(row.formatted(
            result.name(),
            "%.2e".formatted(result.error()),
            "%.2e".formatted(result.relative()),
            within ? "ok" : "over"));
      } else {
        out.println(row.formatted(result.name(), "", "", result.problem()));
      }
    }
    out.println("%d of %d tensors within %s".formatted(passed, results.size(), tolerance));
    return passed;
  }
}
