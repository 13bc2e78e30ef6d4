package dev.fovea.vit.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.fovea.vit.Inference;
import dev.fovea.vit.Labels;
import dev.fovea.vit.Prediction;
import dev.fovea.vit.Vit;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Names what pictures show. */
@Command(
    name = "predict",
    sortOptions = false,
    description = {
      "Name what pictures show: the most probable classes of a model, with their probabilities.",
      "Pictures that cannot be read are named on standard error, the others are still looked at, and the exit code is"
          + " 1.",
      ""
    })
final class PredictCommand implements Callable<Integer> {
  @Spec
  private CommandSpec spec;

  @Option(
      names = "--top",
      paramLabel = "N",
      defaultValue = "5",
      description = "Classes to show for each picture (default: ${DEFAULT-VALUE}).")
  private int top;

  @Option(
      names = "--labels",
      paramLabel = "FILE",
      description =
          "Names of the classes, one on each line, class 0 first (default: those in the model's config.json).")
  private @Nullable Path labels;

  @Option(
      names = "--json",
      description = "Print a line of JSON for each picture: {\"file\", \"predictions\": [{\"index\", \"label\", "
          + "\"probability\"}]}.")
  private boolean json;

  @Mixin
  private PictureArguments pictures = new PictureArguments();

  @Override
  public Integer call() throws IOException {
    if (top < 1) {
      throw new ParameterException(spec.commandLine(), "--top: got " + top + ", expected at least 1");
    }
    PrintWriter out = spec.commandLine().getOut();
    List<Path> files = pictures.files();
    try (Vit vit = pictures.load()) {
      Labels names = labels(vit);
      var failures = new Failures(spec.commandLine().getErr()::println) {
        @Override
        public void accept(Path file, float[] logits) throws IOException {
          List<Prediction> best = Inference.best(logits, top, names);
          out.println(json ? line(file, best) : table(file, best));
          if (out.checkError()) {
            throw new IOException("nobody reads the output any more");
          }
        }
      };
      vit.inference().classify(files, pictures.options(), failures);
      return failures.exitCode(files.size());
    }
  }

  private Labels labels(Vit vit) throws IOException {
    if (labels == null) {
      return Labels.ofModel(pictures.model());
    }
    Labels read = Labels.read(labels);
    int classes = vit.config().classes();
    if (read.size() != classes && classes > 0) {
      throw new IllegalArgumentException(
          "%s: got %d names, expected one for each of the model's %d classes".formatted(labels, read.size(), classes));
    }
    return read;
  }

  private static String table(Path file, List<Prediction> best) {
    StringBuilder text = new StringBuilder().append(file);
    int width = best.stream().mapToInt(p -> p.label().length()).max().orElse(0);
    for (Prediction p : best) {
      String label = p.label() + " ".repeat(width - p.label().length());
      text.append("%n  %6.2f %%  %s  (%d)".formatted(100 * p.probability(), label, p.index()));
    }
    return text.toString();
  }

  private static String line(Path file, List<Prediction> best) throws IOException {
    ObjectMapper mapper = new ObjectMapper();
    ObjectNode node = mapper.createObjectNode().put("file", file.toString());
    var list = node.putArray("predictions");
    for (Prediction p : best) {
      list.addObject().put("index", p.index()).put("label", p.label()).put("probability", p.probability());
    }
    return mapper.writeValueAsString(node);
  }
}
