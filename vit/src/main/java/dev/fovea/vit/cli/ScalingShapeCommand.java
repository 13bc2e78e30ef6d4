package dev.fovea.vit.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.fovea.vit.model.Costs;
import dev.fovea.vit.scaling.Interval;
import dev.fovea.vit.scaling.RunTable;
import dev.fovea.vit.scaling.ScalingPlots;
import dev.fovea.vit.scaling.Shape;
import dev.fovea.vit.scaling.ShapeLawFit;
import dev.fovea.vit.scaling.ShapeScaling;
import dev.fovea.vit.scaling.StarSweep;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Says which shape suits a compute. */
@Command(
    name = "shape",
    sortOptions = false,
    description = {
      "Say which width, depth and MLP suit a compute (Getting ViT in Shape).",
      "",
      "From a shape that is optimal for one compute, each dimension grows with its own power of compute. Without runs"
          + " the constants are the paper's. With the runs of a star sweep (columns width, depth, mlp, compute, error;"
          + " each run differs from the centre in one dimension) the powers are fitted, with confidence intervals.",
      ""
    })
final class ScalingShapeCommand implements Callable<Integer> {
  @Spec
  private CommandSpec spec;

  @Parameters(index = "0", arity = "0..1", paramLabel = "SWEEP.csv", description = "The runs of a star sweep.")
  private @Nullable Path file;

  @Option(
      names = "--compute",
      paramLabel = "T",
      description = "The budget: GFLOPs of a forward pass times pictures seen (SoViT-400m: 8.8e12).")
  private @Nullable Double compute;

  @Option(
      names = "--anchor",
      paramLabel = "WIDTH,DEPTH,MLP",
      split = ",",
      description = "The shape to begin from (default: the paper's 608,10,928).")
  private List<Integer> anchor = List.of();

  @Option(
      names = "--anchor-compute",
      paramLabel = "T",
      description = {
        "The compute it is optimal for. The paper does not print that of its own; 3.5e9, the default, comes closest to"
            + " the two shapes that it derives."
      })
  private @Nullable Double anchorCompute;

  @Option(
      names = "--exponents",
      paramLabel = "S,S,S",
      split = ",",
      description = "Powers of width, depth and MLP (default: those of the runs, else the paper's 0.22,0.45,0.6).")
  private List<Double> exponents = List.of();

  @Option(
      names = "--heads",
      paramLabel = "N",
      defaultValue = "" + ShapeScaling.PAPER_HEADS,
      description = "Heads of attention, which divide the width (default: ${DEFAULT-VALUE}).")
  private int heads;

  @Option(
      names = "--image-size",
      paramLabel = "N",
      defaultValue = "224",
      description = "Pictures that costs are stated for (default: ${DEFAULT-VALUE}).")
  private int imageSize;

  @Option(
      names = "--patch",
      paramLabel = "N",
      defaultValue = "14",
      description = "Patches that costs are stated for (default: ${DEFAULT-VALUE}).")
  private int patch;

  @Option(names = "--out", paramLabel = "FILE.png", description = "Draw the sweep and its laws.")
  private @Nullable Path out;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Mixin
  private BootstrapOptions bootstrap = new BootstrapOptions();

  private final ObjectMapper mapper = new ObjectMapper();
  private final ObjectNode node = mapper.createObjectNode();

  @Override
  public Integer call() throws IOException {
    check();
    PrintWriter print = spec.commandLine().getOut();
    StringBuilder text = new StringBuilder();
    ShapeLawFit fit = file == null ? null : ShapeLawFit.of(StarSweep.of(RunTable.read(file)), bootstrap.get());
    if (fit != null) {
      describe(fit, text);
    }
    if (compute != null) {
      describe(scaling(fit), compute, text);
    }
    if (json) {
      print.println(mapper.writerWithDefaultPrettyPrinter().writeValueAsString(node));
    } else {
      print.print(text);
      print.flush();
    }
    if (out != null && fit != null) {
      PictureFile.write(out, stream -> ScalingPlots.write(fit, stream));
    }
    return ExitCode.OK;
  }

  private void check() {
    if (file == null && compute == null) {
      throw wrong("Missing --compute or the runs of a sweep: there is nothing to do");
    }
    if (compute != null && !(compute > 0)) {
      throw wrong("--compute: got " + compute + ", expected a positive number");
    }
    if (!anchor.isEmpty() && anchor.size() != 3) {
      throw wrong("--anchor: got %d numbers, expected width, depth and MLP".formatted(anchor.size()));
    }
    if (!anchor.isEmpty() && anchorCompute == null) {
      throw wrong("--anchor: expected --anchor-compute too, the compute that the shape is optimal for");
    }
    if (!exponents.isEmpty() && exponents.size() != 3) {
      throw wrong("--exponents: got %d numbers, expected three: of width, depth and MLP".formatted(exponents.size()));
    }
    if (heads < 1) {
      throw wrong("--heads: got " + heads + ", expected at least 1");
    }
    if (out != null) {
      PictureFile.check(spec.commandLine(), out);
      if (file == null) {
        throw wrong("--out draws the runs of a sweep: expected their file");
      }
    }
  }

  private ParameterException wrong(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  private ShapeScaling scaling(@Nullable ShapeLawFit fit) {
    ShapeScaling paper = ShapeScaling.paper();
    Map<Shape.Dimension, Double> powers = fit == null ? paper.exponents() : fit.exponents();
    return new ShapeScaling(
        anchor.isEmpty() ? paper.anchor() : new Shape(anchor.get(0), anchor.get(1), anchor.get(2)),
        anchorCompute == null ? paper.anchorCompute() : anchorCompute,
        exponents.isEmpty() ? powers : ShapeScaling.exponents(exponents.get(0), exponents.get(1), exponents.get(2)));
  }

  private void describe(ShapeLawFit fit, StringBuilder text) {
    text.append("centre: %s%n".formatted(fit.sweep().center()));
    text.append("relative error %.2f %% (root mean square); exponents, intervals of %.3g %%:%n"
        .formatted(100 * fit.relativeError(), 100 * fit.confidence()));
    ObjectNode all = node.put("relative_error", fit.relativeError())
        .put("confidence", fit.confidence())
        .putObject("exponents");
    for (Shape.Dimension dimension : Shape.Dimension.values()) {
      String name = dimension.name().toLowerCase(Locale.ROOT);
      double s = fit.law(dimension).exponent();
      Interval interval = fit.exponentInterval(dimension);
      text.append("  %-6s s = %.4f  [%.4f, %.4f]%n".formatted(name, s, interval.low(), interval.high()));
      all.putObject(name).put("value", s).put("low", interval.low()).put("high", interval.high());
    }
  }

  private void describe(ShapeScaling scaling, double budget, StringBuilder text) {
    Shape shape = scaling.at(budget, heads);
    Costs costs = shape.costs(imageSize, patch, heads);
    double gflops = costs.flops() * 1e-9;
    double parameters = costs.parameters().values().stream().mapToLong(x -> x).sum() * 1e-6;
    double examples = budget / gflops;
    text.append("%s, %d heads: %.1f M parameters, %.4g GFLOPs a picture of %d px in patches of %d%n"
        .formatted(shape, heads, parameters, gflops, imageSize, patch));
    text.append("before rounding: %.1f, %.2f, %.1f%n"
        .formatted(
            scaling.at(budget, Shape.Dimension.WIDTH),
            scaling.at(budget, Shape.Dimension.DEPTH),
            scaling.at(budget, Shape.Dimension.MLP)));
    text.append("the budget is for %.3g pictures%n".formatted(examples));
    text.append("from %s, taken as optimal for %.3g; a compute %.4g times as large%n"
        .formatted(scaling.anchor(), scaling.anchorCompute(), budget / scaling.anchorCompute()));
    if (scaling.equals(ShapeScaling.paper())) {
      text.append("The constants are the paper's, but for that compute, which it does not print: shapes come out as"
          + " the published ones to about 20 %, not exactly.\n");
    }
    node.putObject("shape")
        .put("width", shape.width())
        .put("depth", shape.depth())
        .put("mlp", shape.mlp())
        .put("heads", heads)
        .put("parameters", Math.round(parameters * 1e6))
        .put("gflops", gflops)
        .put("pictures", examples);
  }
}
