package dev.fovea.vit.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.fovea.vit.train.Evaluation;
import dev.fovea.vit.train.RunEvaluation;
import dev.fovea.vit.train.ShapeBias;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Evaluates what a run made. */
@Command(
    name = "evaluate",
    sortOptions = false,
    description = {
      "Say how the model of a finished run does: loss, accuracy, and accuracy by class.",
      "",
      "Of models of the built-in shapes it tells the shape bias too: on pictures whose texture is that of another"
          + " class, the share of answers by shape among those by shape or texture (Geirhos et al., 2019; ViT-22B)."
          + " 'fovea train --data shapes:matching' makes a model that may go by either.",
      ""
    })
final class EvaluateCommand implements Callable<Integer> {
  @Spec
  private CommandSpec spec;

  @Parameters(paramLabel = "RUN", description = "The folder of the run.")
  private Path run = Path.of("");

  @Option(
      names = "--data",
      paramLabel = "PATH",
      description =
          "Other pictures of the same classes, as 'fovea train' takes them (default: the run's own, those that"
              + " it was not trained on).")
  private @Nullable String data;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Override
  public Integer call() throws IOException {
    RunEvaluation result = RunEvaluation.of(run, data);
    PrintWriter out = spec.commandLine().getOut();
    if (json) {
      out.println(node(result).toPrettyString());
    } else {
      print(out, result);
    }
    return 0;
  }

  private static void print(PrintWriter out, RunEvaluation result) {
    Evaluation evaluation = result.evaluation();
    int[][] confusion = evaluation.confusion();
    int pictures = Arrays.stream(confusion).flatMapToInt(Arrays::stream).sum();
    out.printf(
        "accuracy %.1f %%, loss %.3f on %d pictures of %s%n",
        100 * evaluation.accuracy(), evaluation.loss(), pictures, result.set());
    List<String> classes = result.classes();
    int width = classes.stream().mapToInt(String::length).max().orElse(0);
    for (int label = 0; label < confusion.length; label++) {
      int all = Arrays.stream(confusion[label]).sum();
      String share = all == 0 ? "no pictures" : "%5.1f %%".formatted(100.0 * confusion[label][label] / all);
      out.printf("  %-" + width + "s %s%s%n", classes.get(label), share, taken(confusion[label], label, classes));
    }
    ShapeBias bias = result.bias();
    if (bias != null) {
      out.println(bias);
    }
  }

  /** What a class is taken for most. */
  private static String taken(int[] answers, int label, List<String> classes) {
    int most = -1;
    for (int answer = 0; answer < answers.length; answer++) {
      if (answer != label && answers[answer] > 0 && (most < 0 || answers[answer] > answers[most])) {
        most = answer;
      }
    }
    return most < 0 ? "" : ", else mostly " + classes.get(most);
  }

  private static ObjectNode node(RunEvaluation result) {
    ObjectNode node = new ObjectMapper().createObjectNode();
    node.put("data", result.set());
    node.put("accuracy", result.evaluation().accuracy());
    node.put("loss", result.evaluation().loss());
    ObjectNode byClass = node.putObject("class_accuracy");
    int[][] confusion = result.evaluation().confusion();
    for (int label = 0; label < confusion.length; label++) {
      int all = Arrays.stream(confusion[label]).sum();
      if (all > 0) {
        byClass.put(result.classes().get(label), (double) confusion[label][label] / all);
      }
    }
    ShapeBias bias = result.bias();
    if (bias != null) {
      ObjectNode shape = node.putObject("shape_bias");
      if (bias.byShape() + bias.byTexture() > 0) {
        shape.put("share", bias.share());
      }
      shape.put("by_shape", bias.byShape()).put("by_texture", bias.byTexture()).put("pictures", bias.pictures());
    }
    return node;
  }
}
