package dev.fovea.bench.report;

import java.io.IOException;
import java.io.PrintStream;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Pattern;
import org.openjdk.jmh.infra.BenchmarkParams;
import org.openjdk.jmh.infra.IterationParams;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.BenchmarkResult;
import org.openjdk.jmh.results.IterationResult;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.BenchmarkException;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.format.OutputFormat;
import org.openjdk.jmh.runner.format.OutputFormatFactory;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/** One method of a JMH class with one value for each parameter, in processes of its own. */
record JmhTrial(
    Subject subject,
    String method,
    Map<String, String> parameters,
    int jmhThreads,
    List<String> jvmFlags,
    double secondsOfSetup,
    double secondsOfWarmup)
    implements Trial {
  @Override
  public double seconds(Effort effort) {
    double more = effort.warmups() * (warmupMillis(effort) - effort.warmupMillis()) / 1e3;
    return effort.forks() * (effort.secondsOfFork() + secondsOfSetup + more);
  }

  /** Of each warm-up iteration. Java code is slow until it is compiled; what peers have is compiled. */
  private int warmupMillis(Effort effort) {
    int least = subject.isFovea() ? (int) (1e3 * secondsOfWarmup / effort.warmups()) : 0;
    return Math.max(least, effort.warmupMillis());
  }

  @Override
  public Result run(Effort effort, PrintStream log, Runnable step) throws Exception {
    ChainedOptionsBuilder options = new OptionsBuilder()
        .include("^" + Pattern.quote(method) + "$")
        .threads(jmhThreads)
        .forks(effort.forks())
        .warmupIterations(effort.warmups())
        .warmupTime(TimeValue.milliseconds(warmupMillis(effort)))
        .measurementIterations(effort.iterations())
        .measurementTime(TimeValue.milliseconds(effort.iterationMillis()))
        .shouldFailOnError(true)
        .addProfiler(GCProfiler.class)
        .addProfiler(ExtraProfiler.class);
    parameters.forEach(options::param);
    if (!jvmFlags.isEmpty()) {
      options.jvmArgsPrepend(jvmFlags.toArray(String[]::new));
    }
    try {
      OutputFormat format = new Steps(OutputFormatFactory.createFormatInstance(log, VerboseMode.NORMAL), step);
      return result(subject, new Runner(options.build(), format).runSingle());
    } catch (RunnerException e) {
      throw cause(e);
    }
  }

  /** What the measuring process threw, which JMH wraps more than once. */
  private static Exception cause(Throwable e) {
    if (e instanceof BenchmarkException && e.getSuppressed().length > 0) {
      return cause(e.getSuppressed()[0]);
    }
    if (e instanceof RunnerException && e.getCause() != null) {
      return cause(e.getCause());
    }
    return e instanceof Exception exception ? exception : new IllegalStateException(e.toString(), e);
  }

  /**
   * JMH's results as ours. A time is that of a call on one thread; what a call computes is that of all of JMH's threads
   * together.
   */
  static Result result(Subject subject, RunResult run) {
    List<List<Double>> samples = new ArrayList<>();
    for (BenchmarkResult fork : run.getBenchmarkResults()) {
      samples.add(fork.getIterationResults().stream()
          .map(iteration -> micros(iteration.getPrimaryResult().getScore(), fork.getScoreUnit()))
          .toList());
    }
    Map<String, Double> extras = new TreeMap<>();
    run.getSecondaryResults().forEach((label, value) -> {
      String name = label.startsWith("\u00b7") ? label.substring(1) : label;
      switch (name) {
        case "gc.alloc.rate.norm" -> extras.put(Extra.ALLOCATED, value.getScore());
        case "gc.count" -> extras.put(Extra.COLLECTIONS, value.getScore());
        case "gc.time" -> extras.put(Extra.COLLECTION_MILLIS, value.getScore());
        default -> {
          if (name.startsWith(ExtraProfiler.PREFIX)) {
            extras.put(name.substring(ExtraProfiler.PREFIX.length()), value.getScore());
          }
        }
      }
    });
    int threads = run.getParams().getThreads();
    for (String total : List.of(Extra.FLOPS, Extra.BYTES, Extra.IMAGES)) {
      extras.computeIfPresent(total, (name, value) -> threads * value);
    }
    return Result.of(subject, samples, extras);
  }

  private static double micros(double score, String unit) {
    TimeUnit time = Arrays.stream(TimeUnit.values())
        .filter(candidate -> unit.equals(TimeValue.tuToString(candidate) + "/op"))
        .findFirst()
        .orElseThrow(() -> new IllegalArgumentException("unit: got " + unit + ", expected an average time"));
    return score * time.toNanos(1) / 1e3;
  }

  /** Counts iterations, and passes everything on. */
  private record Steps(OutputFormat log, Runnable step) implements OutputFormat {
    @Override
    public void iteration(BenchmarkParams benchmark, IterationParams parameters, int iteration) {
      log.iteration(benchmark, parameters, iteration);
    }

    @Override
    public void iterationResult(
        BenchmarkParams benchmark, IterationParams parameters, int iteration, IterationResult data) {
      log.iterationResult(benchmark, parameters, iteration, data);
      step.run();
    }

    @Override
    public void startBenchmark(BenchmarkParams benchmark) {
      log.startBenchmark(benchmark);
    }

    @Override
    public void endBenchmark(BenchmarkResult result) {
      log.endBenchmark(result);
    }

    @Override
    public void startRun() {
      log.startRun();
    }

    @Override
    public void endRun(Collection<RunResult> result) {
      log.endRun(result);
    }

    @Override
    public void print(String text) {
      log.print(text);
    }

    @Override
    public void println(String text) {
      log.println(text);
    }

    @Override
    public void flush() {
      log.flush();
    }

    @Override
    public void close() {
      log.close();
    }

    @Override
    public void verbosePrintln(String text) {
      log.verbosePrintln(text);
    }

    @Override
    public void write(int b) {
      log.write(b);
    }

    @Override
    public void write(byte[] b) throws IOException {
      log.write(b);
    }
  }
}
