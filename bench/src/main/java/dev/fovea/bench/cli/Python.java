package dev.fovea.bench.cli;

import dev.fovea.bench.ModelBenchmark;
import dev.fovea.bench.cli.RunCommand.Plan;
import dev.fovea.bench.report.Subject;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** What a run asks of {@code python3}, where that has PyTorch: models for the peers, and its versions. */
final class Python {
  private Python() {}

  /** The models that peers would need and do not find. */
  static List<String> missing(List<Plan> plans) {
    return plans.stream()
        .flatMap(plan -> plan.trials().stream())
        .map(trial -> trial.subject())
        .filter(subject -> subject.suite().equals("models") && !subject.isFovea())
        .filter(subject -> !subject.variant().equals("pytorch"))
        .map(Subject::parameters)
        .map(parameters -> parameters.getOrDefault("model", ""))
        .distinct()
        .filter(model -> !Files.exists(ModelBenchmark.models().resolve(model).resolve("model.onnx")))
        .toList();
  }

  /** Writes the missing models where that can be done, and says so; else their cells will say why they are blank. */
  static void export(List<Plan> plans, Path folder, PrintWriter out) throws IOException, InterruptedException {
    List<String> missing = missing(plans);
    if (missing.isEmpty()
        || run("-c", "import torch, timm, onnx, onnxscript, safetensors").isEmpty()) {
      return;
    }
    Path log = folder.resolve("export.log");
    List<String> command = new ArrayList<>(List.of(
        "python3",
        "-B",
        Path.of(System.getProperty("fovea.home", ""), "bench", "peers", "export.py")
            .toString(),
        ModelBenchmark.models().toString()));
    command.addAll(missing);
    out.printf("writing %s for the peers, once: %s%n", String.join(" and ", missing), String.join(" ", command));
    int code = new ProcessBuilder(command)
        .redirectErrorStream(true)
        .redirectOutput(log.toFile())
        .start()
        .waitFor();
    if (code != 0) {
      out.printf("that failed: %s says why%n", log);
    }
  }

  /** Libraries that scripts would use, with their versions: empty where no script is in the plans. */
  static Map<String, String> versions(List<Plan> plans) throws InterruptedException {
    boolean asked = plans.stream()
        .flatMap(plan -> plan.trials().stream())
        .anyMatch(trial -> trial.subject().variant().equals("pytorch"));
    Map<String, String> versions = new TreeMap<>();
    if (asked) {
      run("-c", "import torch; print(torch.__version__)").ifPresent(version -> versions.put("torch", version));
    }
    return versions;
  }

  private static Optional<String> run(String... arguments) throws InterruptedException {
    List<String> command = new ArrayList<>(List.of("python3"));
    command.addAll(List.of(arguments));
    try {
      Process process = new ProcessBuilder(command)
          .redirectError(ProcessBuilder.Redirect.DISCARD)
          .start();
      String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
      return process.waitFor() == 0 ? Optional.of(out) : Optional.empty();
    } catch (IOException e) {
      return Optional.empty();
    }
  }
}
