package dev.fovea.vit.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.fovea.vit.Inference;
import dev.fovea.vit.Vit;
import dev.fovea.vit.probe.ClassFolders;
import dev.fovea.vit.probe.RidgeProbe;
import dev.fovea.vit.probe.Shots;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.DoubleSummaryStatistics;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Probes what a model's features are worth with a few examples of each class. */
@Command(
    name = "probe",
    sortOptions = false,
    description = {
      "Say how well a few pictures of each class tell classes apart by a model's features: a linear classifier in"
          + " closed form, as Scaling ViT's few-shot evaluation.",
      "",
      "Pictures lie in a folder for each class, the same names in both folders. They are prepared as the model"
          + " expects. Examples are drawn by seed; they are not those that big_vision draws. Pictures that cannot be"
          + " read are named on standard error and left out, and the exit code is 1.",
      ""
    })
final class ProbeCommand implements Callable<Integer> {
  @Spec
  private CommandSpec spec;

  @Mixin
  private ModelArgument model = new ModelArgument();

  @Option(names = "--train", required = true, paramLabel = "FOLDER", description = "Pictures to draw examples from.")
  private Path train = Path.of("");

  @Option(names = "--test", required = true, paramLabel = "FOLDER", description = "Pictures to be named.")
  private Path test = Path.of("");

  @Option(
      names = "--shots",
      paramLabel = "N",
      split = ",",
      defaultValue = "1,5,10,25",
      description = "Examples of each class (default: ${DEFAULT-VALUE}).")
  private List<Integer> shots = List.of();

  @Option(
      names = "--draws",
      paramLabel = "N",
      defaultValue = "3",
      description = "Draws, whose accuracies are averaged; seeds are 0, 1, ... (default: ${DEFAULT-VALUE}).")
  private int draws;

  @Option(
      names = "--l2",
      paramLabel = "X",
      defaultValue = "" + RidgeProbe.DEFAULT_L2,
      description = "Regularization (default: ${DEFAULT-VALUE}, the papers').")
  private double l2;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Mixin
  private BatchOptions batch = new BatchOptions();

  @Mixin
  private ComputeArguments compute = new ComputeArguments();

  @Override
  public Integer call() throws IOException {
    check();
    ClassFolders examples = ClassFolders.of(train);
    ClassFolders questions = ClassFolders.of(test, examples.classes());
    int[] labels = labels(examples);
    int classes = examples.classes().size();
    int most = shots.stream().mapToInt(n -> n).max().orElseThrow();
    List<Shots> drawn = LongStream.range(0, draws)
        .mapToObj(seed -> new Shots(labels, classes, seed))
        .toList();
    int[] needed = drawn.stream()
        .flatMapToInt(draw -> Arrays.stream(draw.first(most)))
        .sorted()
        .distinct()
        .toArray();
    int total = needed.length + questions.files().size();
    try (Vit vit = compute.load(model.path()).frozen();
        Progress progress = new Progress(spec.commandLine().getErr(), "probe", total)) {
      Embedded embedded = new Embedded(vit.inference(), progress);
      float[][] known = new float[labels.length][];
      float[][] found =
          embedded.of(Arrays.stream(needed).mapToObj(examples.files()::get).toList());
      for (int i = 0; i < needed.length; i++) {
        known[needed[i]] = found[i];
      }
      float[][] asked = embedded.of(questions.files());
      progress.close();
      report(known, labels, asked, labels(questions), classes, drawn);
      return embedded.failures.exitCode(total);
    }
  }

  private void check() {
    if (shots.isEmpty() || shots.stream().anyMatch(n -> n < 1)) {
      throw new ParameterException(spec.commandLine(), "--shots: got " + shots + ", expected at least 1 each");
    }
    if (draws < 1) {
      throw new ParameterException(spec.commandLine(), "--draws: got " + draws + ", expected at least 1");
    }
    if (!(l2 > 0)) {
      throw new ParameterException(spec.commandLine(), "--l2: got " + l2 + ", expected a positive number");
    }
  }

  private static int[] labels(ClassFolders folders) {
    return folders.labels().stream().mapToInt(label -> label).toArray();
  }

  private void report(float[][] known, int[] labels, float[][] asked, int[] answers, int classes, List<Shots> drawn) {
    int[] readable = readable(asked, IntStream.range(0, asked.length).toArray());
    float[][] questions = pick(asked, readable, test);
    int[] right = Arrays.stream(readable).map(i -> answers[i]).toArray();
    ObjectNode node = new ObjectMapper().createObjectNode();
    node.put("classes", classes).put("pictures", readable.length).put("l2", l2);
    StringBuilder text =
        new StringBuilder("%d classes, %d pictures to name, %d draws:%n".formatted(classes, readable.length, draws));
    for (int n : shots) {
      int examples = Integer.MAX_VALUE;
      double[] accuracies = new double[drawn.size()];
      for (int draw = 0; draw < accuracies.length; draw++) {
        int[] chosen = readable(known, drawn.get(draw).first(n));
        int[] chosenLabels = Arrays.stream(chosen).map(i -> labels[i]).toArray();
        var probe = RidgeProbe.fit(pick(known, chosen, train), chosenLabels, classes, l2);
        accuracies[draw] = probe.accuracy(questions, right);
        examples = Math.min(examples, chosen.length);
      }
      add(node.withArray("shots").addObject(), n, examples, accuracies);
      text.append(line(n, examples < n * classes ? ", some classes have fewer examples" : "", accuracies));
    }
    PrintWriter out = spec.commandLine().getOut();
    out.println(json ? node.toPrettyString() : text.toString().stripTrailing());
  }

  private static void add(ObjectNode node, int shots, int examples, double[] accuracies) {
    node.put("shots", shots).put("examples", examples);
    node.put("accuracy", Arrays.stream(accuracies).average().orElse(0));
    var draws = node.putArray("draws");
    Arrays.stream(accuracies).forEach(draws::add);
  }

  private static String line(int shots, String note, double[] accuracies) {
    DoubleSummaryStatistics percent =
        Arrays.stream(accuracies).map(accuracy -> 100 * accuracy).summaryStatistics();
    return "  %3d shots: %6.2f %%  (%.2f to %.2f)%s%n"
        .formatted(shots, percent.getAverage(), percent.getMin(), percent.getMax(), note);
  }

  /** Those of the indices whose picture could be read. */
  private static int[] readable(float[][] rows, int[] indices) {
    return Arrays.stream(indices).filter(i -> rows[i].length > 0).toArray();
  }

  private static float[][] pick(float[][] rows, int[] indices, Path folder) {
    if (indices.length == 0) {
      throw new IllegalStateException(folder + ": no picture could be read");
    }
    return Arrays.stream(indices).mapToObj(i -> rows[i]).toArray(float[][]::new);
  }

  /** Features of pictures; of those that cannot be read, empty. */
  private final class Embedded {
    private final Inference inference;
    private final Failures failures;
    private final Progress progress;
    private float[][] rows = {};
    private int next;

    Embedded(Inference inference, Progress progress) {
      this.inference = inference;
      this.progress = progress;
      failures = new Failures(progress::say) {
        @Override
        public void accept(Path file, float[] values) {
          add(values);
        }

        @Override
        public void failed(Path file, IOException failure) {
          super.failed(file, failure);
          add(new float[0]);
        }
      };
    }

    private void add(float[] row) {
      rows[next++] = row;
      progress.step();
    }

    float[][] of(List<Path> files) throws IOException {
      rows = new float[files.size()][];
      next = 0;
      inference.embed(files, batch.options(), failures);
      return rows;
    }
  }
}
