package dev.fovea.vit.cli;

import static dev.fovea.vit.cli.EvidenceFile.text;

import dev.fovea.kernels.cuda.KernelBuild;
import dev.fovea.vit.cli.EvidenceFile.Standing;
import dev.fovea.vit.cli.EvidenceFile.State;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Tells what real GPUs have shown about the kernels of this build. */
@Command(
    name = "evidence",
    sortOptions = false,
    description = {
      "Tell what is known from real GPUs about the kernels of this build.",
      "A kernel is verified where its cases were within their tolerances on that GPU, stale where its sources have"
          + " changed since, failed where a case was wrong, and pending where it has not run on that GPU yet.",
      ""
    })
final class EvidenceCommand implements Runnable {
  @Spec
  private CommandSpec spec;

  @Parameters(
      arity = "0..*",
      paramLabel = "FILE",
      description = "Evidence that bench/gpu-bundle wrote (default: all in bench/evidence).")
  private List<Path> files = List.of();

  @Option(names = "--times", description = "Print the times too: Markdown, slower peers have ratios above 1.")
  private boolean times;

  @Override
  public void run() {
    PrintWriter out = spec.commandLine().getOut();
    KernelBuild build = KernelBuild.find();
    try {
      List<Path> found = files.isEmpty() ? EvidenceFile.known(Path.of(System.getProperty("fovea.home", ""))) : files;
      if (found.isEmpty()) {
        out.println("no evidence yet: no kernel has run on a real GPU");
        kernels(out, build, null);
      }
      for (Path file : found) {
        tell(out, build, file);
      }
    } catch (IOException e) {
      throw new IllegalArgumentException(e.getMessage(), e);
    }
  }

  private void tell(PrintWriter out, @Nullable KernelBuild build, Path file) throws IOException {
    EvidenceFile evidence = EvidenceFile.read(file);
    out.println(evidence.title());
    if (evidence.isEmulated()) {
      out.println("not a GPU: this was written by the machine that tests run on, and shows nothing about GPUs");
    }
    kernels(out, build, evidence);
    evidence
        .json()
        .path("models")
        .forEach(model -> out.println("model %s: %s, off by %.1e of the largest value"
            .formatted(
                text(model, "shape"), text(model, "status"), model.path("error").doubleValue())));
    evidence
        .json()
        .path("failures")
        .forEach(failure -> out.println(
            "failed: %s %s: %s".formatted(text(failure, "kernel"), text(failure, "shape"), text(failure, "message"))));
    if (times) {
      times(out, evidence);
    }
  }

  private static void kernels(PrintWriter out, @Nullable KernelBuild build, @Nullable EvidenceFile evidence) {
    if (build == null) {
      out.println("this build has no GPU kernels (nvcc was not found), so their states cannot be told");
      return;
    }
    List<Standing> all = evidence == null ? EvidenceFile.withoutEvidence(build) : evidence.standings(build);
    for (Standing family : all) {
      int verified = family.of(State.VERIFIED).size();
      out.println("%s: %d of %d kernels verified%s"
          .formatted(
              family.family(),
              verified,
              family.size(),
              verified == 0
                  ? ""
                  : " (%d cases, errors up to %.0f %% of the tolerance)"
                      .formatted(family.cases(), 100 * family.ofTolerance())));
      family.kernels().forEach((state, names) -> {
        if (state != State.VERIFIED) {
          out.println("  " + state + ": " + String.join(" ", names));
        }
      });
    }
    out.println("all: "
        + Stream.of(State.values())
            .map(state ->
                all.stream().mapToInt(family -> family.of(state).size()).sum() + " " + state)
            .collect(Collectors.joining(", ")));
  }

  private static void times(PrintWriter out, EvidenceFile evidence) {
    out.println();
    evidence
        .json()
        .path("limits")
        .properties()
        .forEach(limit -> out.println("limit of %s: %s %s (%s)"
            .formatted(
                limit.getKey(),
                limit.getValue().path("rate"),
                text(limit.getValue(), "unit"),
                text(limit.getValue(), "by"))));
    out.println();
    evidence.times().forEach(out::println);
  }
}
