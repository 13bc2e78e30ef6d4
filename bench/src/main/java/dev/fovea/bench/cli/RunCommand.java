package dev.fovea.bench.cli;

import dev.fovea.bench.Suites;
import dev.fovea.bench.gpu.GpuRun;
import dev.fovea.bench.report.Effort;
import dev.fovea.bench.report.Environment;
import dev.fovea.bench.report.Report;
import dev.fovea.bench.report.Results;
import dev.fovea.bench.report.Suite;
import dev.fovea.bench.report.Trial;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.Spec;

/** Measures. */
@Command(
    name = "fovea bench",
    sortOptions = false,
    mixinStandardHelpOptions = true,
    subcommands = {CompareCommand.class, ReportCommand.class, ReadmeCommand.class},
    description = {
      "Measure kernels and models on this machine, beside the libraries that you would use instead.",
      "",
      "First come the machine's own limits, then the suites (--list shows them). Whatever is compared must compute the"
          + " same answer before it is timed. A peer that is not here leaves a blank cell, with the reason. OUT gets"
          + " results.json (environment and every sample), report.html (opens without network), plots as PNG, and"
          + " bench.log with everything that was printed on the way.",
      "",
      "Exits with 1 where an answer was wrong or a benchmark crashed.",
      ""
    })
final class RunCommand implements Callable<Integer> {
  @Spec
  private CommandSpec spec;

  @Parameters(arity = "0..*", paramLabel = "SUITE", description = "What to measure (default: every suite).")
  private List<String> names = List.of();

  @Option(names = "--list", description = "List the suites and how long they take, and end.")
  private boolean list;

  @ArgGroup
  private Efforts efforts = new Efforts();

  @Option(
      names = "--device",
      defaultValue = "cpu",
      paramLabel = "DEVICE",
      description = "cpu, or cuda for a GPU (default: ${DEFAULT-VALUE}).")
  private String device = "cpu";

  @Option(
      names = "--threads",
      paramLabel = "N",
      split = ",",
      description = "Threads to measure with, as in 1,4 (default: one, and one for each core).")
  private List<Integer> threads = List.of();

  @Option(names = "--out", paramLabel = "DIR", description = "Folder to write to (default: the next runs/bench-N).")
  private @Nullable Path out;

  @Option(names = "--no-peers", description = "Measure Fovea alone; no other library is fetched.")
  private boolean noPeers;

  @Option(names = "--debug", scope = ScopeType.INHERIT, description = "Print the stack trace of an error.")
  boolean debug;

  /** How long. */
  static final class Efforts {
    @Option(names = "--quick", description = "One process for each measurement, few sizes: minutes, wide error bars.")
    private boolean quick;

    @Option(names = "--full", description = "Five processes for each measurement, every size: hours.")
    private boolean full;

    Effort chosen() {
      return quick ? Effort.QUICK : full ? Effort.FULL : Effort.NORMAL;
    }
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    check();
    boolean onCpu = device.equals("cpu");
    List<Suite> chosen = onCpu ? chosen() : List.of();
    if (list) {
      if (onCpu) {
        list(chosen);
      } else {
        spec.commandLine().getOut().println(String.join("\n", GpuRun.families()));
      }
      return ExitCode.OK;
    }
    Path folder = folder();
    Files.createDirectories(folder);
    PrintWriter print = spec.commandLine().getOut();
    Effort effort = efforts.chosen();
    Environment environment =
        Probe.environment(spec.commandLine().getParseResult().originalArgs());
    Results results;
    if (onCpu) {
      List<Plan> plans = plans(chosen, effort);
      Python.export(plans, folder, print);
      Session session = new Session(
          effort,
          environment.withPeers(Python.versions(plans)),
          folder,
          print,
          spec.commandLine().getErr());
      results = session.run(plans);
    } else {
      results = GpuBench.run(device, effort, names, folder, environment);
      results.write(folder);
      results.suites().forEach(suite -> Session.tell(results, suite, print));
    }
    Report.write(results, folder);
    print.printf("%nReport, plots and every sample: %s%n", folder.resolve(Report.FILE));
    return results.hasFailures() ? ExitCode.SOFTWARE : ExitCode.OK;
  }

  private void check() {
    if (!device.equals("cpu") && !device.equals("ptx") && !device.matches("cuda(:\\d+)?")) {
      throw wrong("--device: got " + device + ", expected cpu, cuda or cuda:N");
    }
    for (String name : device.equals("cpu") ? List.<String>of() : names) {
      if (!GpuRun.families().contains(name)) {
        throw wrong("SUITE: got %s, expected some of %s".formatted(name, String.join(", ", GpuRun.families())));
      }
    }
    for (int count : threads) {
      if (count < 1) {
        throw wrong("--threads: got " + count + ", expected positive numbers");
      }
    }
  }

  private ParameterException wrong(String message) {
    return new ParameterException(spec.commandLine(), message);
  }

  private List<Suite> chosen() {
    List<Suite> all = Suites.cpu();
    List<Suite> chosen = new ArrayList<>();
    for (String name : names) {
      chosen.add(all.stream()
          .filter(suite -> suite.note().name().equals(name))
          .findFirst()
          .orElseThrow(() -> wrong("SUITE: got %s, expected some of %s"
              .formatted(
                  name,
                  String.join(
                      ", ", all.stream().map(suite -> suite.note().name()).toList())))));
    }
    return chosen.isEmpty() ? all : chosen;
  }

  private Path folder() {
    if (out != null) {
      return out;
    }
    return IntStream.iterate(1, n -> n + 1)
        .mapToObj(n -> Path.of("runs", "bench-" + n))
        .filter(path -> !Files.exists(path))
        .findFirst()
        .orElseThrow();
  }

  private List<Integer> threads() {
    int cores = Runtime.getRuntime().availableProcessors();
    return !threads.isEmpty() ? threads : cores == 1 ? List.of(1) : List.of(1, cores);
  }

  private List<Plan> plans(List<Suite> chosen, Effort effort) {
    List<Plan> plans = new ArrayList<>();
    plans.add(new Plan(Suites.machine(), Suites.machine().trials(effort, threads())));
    for (Suite suite : chosen) {
      List<Trial> trials = suite.trials(effort, threads()).stream()
          .filter(trial -> !noPeers || trial.subject().isFovea())
          .toList();
      plans.add(new Plan(suite, trials));
    }
    return plans;
  }

  private void list(List<Suite> chosen) {
    PrintWriter print = spec.commandLine().getOut();
    print.println("minutes       --quick        default       --full");
    Map<Effort, Double> totals = new EnumMap<>(Effort.class);
    for (Plan plan : plans(chosen, Effort.NORMAL)) {
      StringBuilder line =
          new StringBuilder("%-12s".formatted(plan.suite().note().name()));
      for (Effort effort : Effort.values()) {
        Plan planned = plans(List.of(plan.suite()), effort).getLast();
        totals.merge(effort, planned.seconds(effort) / 60, Double::sum);
        line.append("%7.1f (%4d)"
            .formatted(planned.seconds(effort) / 60, planned.trials().size()));
      }
      print.println(line + "   " + plan.suite().note().title());
    }
    StringBuilder all = new StringBuilder("%-12s".formatted("all"));
    totals.values().forEach(minutes -> all.append("%7.1f       ".formatted(minutes)));
    print.println(all.toString().stripTrailing());
    print.println("In brackets: how many measurements. The machine's limits are always measured.");
  }

  /**
   * What to measure of a suite.
   *
   * @param suite the suite
   * @param trials its measurements
   */
  record Plan(Suite suite, List<Trial> trials) {
    double seconds(Effort effort) {
      return trials.stream().mapToDouble(trial -> trial.seconds(effort)).sum();
    }
  }
}
