package dev.fovea.vit.cli;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.fovea.vit.scaling.Interval;
import dev.fovea.vit.scaling.PowerLaw;
import dev.fovea.vit.scaling.PowerLawFit;
import dev.fovea.vit.scaling.RunTable;
import dev.fovea.vit.scaling.ScalingPlots;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.ToDoubleFunction;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** Fits a scaling law to runs. */
@Command(
    name = "scaling",
    sortOptions = false,
    subcommands = ScalingShapeCommand.class,
    description = {
      "Say what error a compute will buy: fit E = a (C + d)^-b + c to runs, with confidence intervals.",
      "",
      "The runs are a CSV file: a line that names the columns, with compute and error among them, then a line for each"
          + " run. Compute is in any unit; error is between 0 and 1. The fit minimises relative error.",
      ""
    })
final class ScalingCommand implements Callable<Integer> {
  private static final Map<String, ToDoubleFunction<PowerLaw>> CONSTANTS = constants();

  @Spec
  private CommandSpec spec;

  @Parameters(index = "0", arity = "0..1", paramLabel = "RUNS.csv", description = "The runs.")
  private @Nullable Path file;

  @Option(
      names = "--compute-column",
      paramLabel = "NAME",
      defaultValue = "compute",
      description = "The column of computes (default: ${DEFAULT-VALUE}).")
  private String computeColumn = "";

  @Option(
      names = "--error-column",
      paramLabel = "NAME",
      defaultValue = "error",
      description = "The column of errors (default: ${DEFAULT-VALUE}).")
  private String errorColumn = "";

  @Option(names = "--frontier", description = "Fit only the runs that no run of as little compute beats.")
  private boolean frontier;

  @Option(names = "--at", paramLabel = "C", split = ",", description = "Say the error at these computes too.")
  private List<Double> at = List.of();

  @Option(names = "--out", paramLabel = "FILE.png", description = "Draw runs and law.")
  private @Nullable Path out;

  @Option(names = "--json", description = "Print JSON.")
  private boolean json;

  @Mixin
  private BootstrapOptions bootstrap = new BootstrapOptions();

  private static Map<String, ToDoubleFunction<PowerLaw>> constants() {
    Map<String, ToDoubleFunction<PowerLaw>> all = new LinkedHashMap<>();
    all.put("a", PowerLaw::a);
    all.put("b", PowerLaw::b);
    all.put("c", PowerLaw::c);
    all.put("d", PowerLaw::d);
    return all;
  }

  @Override
  public Integer call() throws IOException {
    if (file == null) {
      throw new ParameterException(spec.commandLine(), "Missing runs: name a CSV file, or a command (shape)");
    }
    for (double compute : at) {
      if (!(compute > 0)) {
        throw new ParameterException(spec.commandLine(), "--at: got " + compute + ", expected positive computes");
      }
    }
    if (out != null) {
      PictureFile.check(spec.commandLine(), out);
    }
    PowerLawFit fit = fit(RunTable.read(file));
    PrintWriter print = spec.commandLine().getOut();
    if (json) {
      print.println(json(fit));
    } else {
      print(fit, print);
    }
    if (out != null) {
      double most = at.stream().mapToDouble(x -> x).max().orElse(0);
      PictureFile.write(out, stream -> ScalingPlots.write(fit, most, stream));
    }
    return ExitCode.OK;
  }

  private PowerLawFit fit(RunTable runs) throws IOException {
    double[] compute = runs.column(computeColumn);
    double[] error = runs.column(errorColumn);
    if (frontier) {
      int[] chosen = PowerLawFit.frontier(compute, error);
      compute = pick(compute, chosen);
      error = pick(error, chosen);
    }
    return PowerLawFit.of(compute, error, bootstrap.get());
  }

  private static double[] pick(double[] from, int[] indices) {
    return Arrays.stream(indices).mapToDouble(i -> from[i]).toArray();
  }

  private void print(PowerLawFit fit, PrintWriter print) {
    PowerLaw law = fit.law();
    print.printf("E = %.4g (C + %.4g)^-%.4g + %.4g%n", law.a(), law.d(), law.b(), law.c());
    print.printf(
        "%d runs, relative error %.2f %% (root mean square); intervals of %.3g %%:%n",
        fit.compute().length, 100 * fit.relativeError(), 100 * fit.confidence());
    CONSTANTS.forEach((name, constant) -> row(print, name, constant.applyAsDouble(law), fit.interval(constant)));
    for (double compute : at) {
      row(print, "E(%.4g)".formatted(compute), law.at(compute), fit.interval(l -> l.at(compute)));
    }
  }

  private static void row(PrintWriter print, String name, double value, Interval interval) {
    print.printf("  %-12s %-10.4g [%.4g, %.4g]%n", name, value, interval.low(), interval.high());
  }

  private String json(PowerLawFit fit) throws IOException {
    ObjectMapper mapper = new ObjectMapper();
    ObjectNode node = mapper.createObjectNode();
    node.put("runs", fit.compute().length)
        .put("relative_error", fit.relativeError())
        .put("confidence", fit.confidence());
    CONSTANTS.forEach(
        (name, constant) -> put(node.putObject(name), constant.applyAsDouble(fit.law()), fit.interval(constant)));
    var predictions = node.putArray("predictions");
    for (double compute : at) {
      put(predictions.addObject().put("compute", compute), fit.law().at(compute), fit.interval(law -> law.at(compute)));
    }
    return mapper.writerWithDefaultPrettyPrinter().writeValueAsString(node);
  }

  private static void put(ObjectNode node, double value, Interval interval) {
    node.put("value", value).put("low", interval.low()).put("high", interval.high());
  }
}
