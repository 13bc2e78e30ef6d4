package dev.fovea.vit.cli;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.dataformat.yaml.YAMLMapper;
import dev.fovea.vit.scaling.Shape;
import dev.fovea.vit.scaling.Sweep;
import dev.fovea.vit.scaling.SweepRunner;
import dev.fovea.vit.train.ConfigFile;
import dev.fovea.vit.train.TrainConfig;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** Trains many small models for a scaling law. */
@Command(
    name = "sweep",
    sortOptions = false,
    customSynopsis = "Usage: fovea sweep [OPTIONS]",
    synopsisHeading = "",
    description = {
      "Train many small models, and write a table of their compute and error that a scaling law can be fitted to.",
      "",
      "Every --width is trained with every --depth, --mlp, --steps and --train-size. With --star the shapes differ from"
          + " a centre in one dimension each (Getting ViT in Shape). Models that are trained already are kept, so that"
          + " the same command goes on after Ctrl-C, and a larger sweep builds on a smaller one in the same folder. A"
          + " model that cannot be trained is listed, and the others go on.",
      "",
      "  fovea sweep --width 16,32,64 --depth 1,2,4 --steps 50,100 --out runs/sweep",
      "  fovea scaling runs/sweep/runs.csv --frontier --out law.png",
      "Options in groups are settings of all models' run.yaml, in the section in brackets.",
      ""
    })
@SuppressWarnings("UnusedVariable") // Groups are read as the options they hold.
final class SweepCommand implements Callable<Integer> {
  private static final Set<String> LISTS = new TreeSet<>(Set.of("width", "depth", "mlp", "steps", "train_size"));

  @Spec
  private CommandSpec spec;

  @Option(
      names = "--out",
      paramLabel = "FOLDER",
      defaultValue = "runs/sweep",
      description = "Where the models and runs.csv go (default: ${DEFAULT-VALUE}).")
  private Path out = Path.of("");

  @Option(names = "--width", split = ",", paramLabel = "N", description = "Widths of a token.")
  private List<Integer> widths = List.of();

  @Option(names = "--depth", split = ",", paramLabel = "N", description = "Numbers of blocks.")
  private List<Integer> depths = List.of();

  @Option(names = "--mlp", split = ",", paramLabel = "N", description = "Hidden widths of the MLPs.")
  private List<Integer> mlps = List.of();

  @Option(
      names = "--steps",
      split = ",",
      paramLabel = "N",
      description = "Numbers of updates; each is a training of its own, whose rate falls to 0 at its end.")
  private List<Long> steps = List.of();

  @Option(
      names = "--train-size",
      split = ",",
      paramLabel = "N",
      description = "Numbers of pictures to learn from, of the built-in set.")
  private List<Integer> trainSizes = List.of();

  @Option(
      names = "--star",
      arity = "0..1",
      fallbackValue = "",
      paramLabel = "W,D,MLP",
      description = "Vary one dimension at a time around this width, depth and MLP (default: the largest of each).")
  private @Nullable String star;

  @Option(
      names = "--grid",
      paramLabel = "FILE",
      description = "The lists as YAML instead, with names width, depth, mlp, steps and train_size.")
  private @Nullable Path grid;

  @Mixin
  private ConfigOptions config = new ConfigOptions();

  @ArgGroup(validate = false, order = 0, heading = "%nPictures (data):%n")
  private OptionGroups.LabelledPictures pictures = new OptionGroups.LabelledPictures();

  @ArgGroup(validate = false, order = 1, heading = "%nWhat all models have in common (model):%n")
  private OptionGroups.Model model = new OptionGroups.Model();

  @ArgGroup(validate = false, order = 2, heading = "%nHow they learn (optimizer):%n")
  private OptionGroups.ClassifierMoves moves = new OptionGroups.ClassifierMoves();

  @ArgGroup(validate = false, order = 3, heading = "%nThe learning rate by step (schedule):%n")
  private OptionGroups.Rate rate = new OptionGroups.Rate();

  @ArgGroup(validate = false, order = 4, heading = "%nThe runs (run):%n")
  private OptionGroups.Job job = new OptionGroups.Job();

  @Override
  public Integer call() throws IOException {
    readGrid();
    Map<String, Object> settings = GivenSettings.of(spec);
    settings.putAll(config.settings());
    settings.putIfAbsent("run.keep", 1);
    Sweep sweep = sweep(ConfigFile.read(config.file(), settings));
    SweepRunner runner = new SweepRunner(config.file(), settings, out);
    SweepRunner.Outcome outcome;
    try (Interrupt interrupt = new Interrupt();
        SweepProgress progress = new SweepProgress(spec.commandLine().getOut())) {
      outcome = runner.run(sweep, progress, interrupt::requested);
    }
    return report(sweep, runner, outcome);
  }

  private int report(Sweep sweep, SweepRunner runner, SweepRunner.Outcome outcome) {
    var print = spec.commandLine().getOut();
    if (outcome.stopped()) {
      print.printf(
          "stopped with %d of %d models trained; the same command goes on%n",
          outcome.results().size(), sweep.points().size());
      return ExitCode.OK;
    }
    print.printf("%d models trained: %s%n", outcome.results().size(), runner.table());
    if (!outcome.failures().isEmpty()) {
      var err = spec.commandLine().getErr();
      err.printf(
          "fovea: %d of %d models could not be trained:%n",
          outcome.failures().size(), sweep.points().size());
      outcome.failures().forEach((name, reason) -> err.printf("  %s: %s%n", name, reason));
      return ExitCode.SOFTWARE;
    }
    print.printf(
        "fit a law to them with: ./fovea scaling %s%n",
        star == null ? runner.table() + " --frontier" : "shape " + runner.table() + " --compute BUDGET");
    return ExitCode.OK;
  }

  private Sweep sweep(TrainConfig base) {
    TrainConfig.Model shape = base.model();
    widths = widths.isEmpty() ? List.of(shape.width()) : widths;
    depths = depths.isEmpty() ? List.of(shape.depth()) : depths;
    mlps = mlps.isEmpty() ? List.of(shape.mlp()) : mlps;
    steps = steps.isEmpty() ? List.of(base.run().steps()) : steps;
    trainSizes = trainSizes.isEmpty() ? List.of(0) : trainSizes;
    return star == null
        ? Sweep.grid(widths, depths, mlps, steps, trainSizes)
        : Sweep.star(center(star), widths, depths, mlps, steps, trainSizes);
  }

  private Shape center(String text) {
    if (text.isEmpty()) {
      return new Shape(largest(widths), largest(depths), largest(mlps));
    }
    String[] parts = text.split(",", -1);
    try {
      if (parts.length == 3) {
        return new Shape(Integer.parseInt(parts[0]), Integer.parseInt(parts[1]), Integer.parseInt(parts[2]));
      }
    } catch (NumberFormatException e) {
      // Said below.
    }
    throw new ParameterException(
        spec.commandLine(), "--star: got " + text + ", expected a width, a depth and an MLP such as 64,8,256");
  }

  private static int largest(List<Integer> values) {
    return values.stream().mapToInt(Integer::intValue).max().orElseThrow();
  }

  private void readGrid() throws IOException {
    if (grid == null) {
      return;
    }
    if (!(widths.isEmpty() && depths.isEmpty() && mlps.isEmpty() && steps.isEmpty() && trainSizes.isEmpty())) {
      throw new ParameterException(spec.commandLine(), "--grid has the lists: leave out --width and the others");
    }
    Map<String, List<Integer>> lists;
    try {
      lists = new YAMLMapper().readValue(Files.readString(grid), new TypeReference<Map<String, List<Integer>>>() {});
    } catch (JsonProcessingException e) {
      throw new IllegalArgumentException(
          "%s: got something else than lists of numbers, expected some of %s".formatted(grid, LISTS), e);
    }
    if (!LISTS.containsAll(lists.keySet())) {
      throw new IllegalArgumentException("%s: got %s, expected some of %s".formatted(grid, lists.keySet(), LISTS));
    }
    widths = lists.getOrDefault("width", List.of());
    depths = lists.getOrDefault("depth", List.of());
    mlps = lists.getOrDefault("mlp", List.of());
    steps =
        lists.getOrDefault("steps", List.of()).stream().map(Integer::longValue).toList();
    trainSizes = lists.getOrDefault("train_size", List.of());
  }
}
