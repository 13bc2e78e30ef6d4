package dev.fovea.bench.gpu;

import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.Consumer;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * Checks and times everything on one GPU and writes the evidence. The most important comes first: the device's limits,
 * the contract's cases, models, times, and at last the peers. What fails is written down, and the rest goes on.
 */
@Command(
    name = "run",
    mixinStandardHelpOptions = true,
    sortOptions = false,
    description = {
      "Runs every kernel of Fovea on a GPU, checks it against float64, times it beside PyTorch, and writes what was"
          + " found to OUT/<gpu>.json, with every case in OUT/<gpu>.cases.jsonl and everything printed in"
          + " OUT/<gpu>.log.",
      "Exits with 0 if everything that was run passed, with 1 otherwise."
    })
public final class GpuRun implements Callable<Integer> {
  /** Parts of the time after which the next stage begins. */
  private static final double CHECKS_UNTIL = 0.45;

  private static final double MODELS_UNTIL = 0.55;
  private static final double TIMES_UNTIL = 0.83;
  private static final double VENDOR_UNTIL = 0.88;

  @Option(names = "--device", defaultValue = "cuda", description = "cuda, cuda:1, ..., or ptx for the machine in Java.")
  private String device = "cuda";

  @Option(names = "--minutes", defaultValue = "8", description = "Longest time for all (default: ${DEFAULT-VALUE}).")
  private double minutes;

  @Option(names = "--out", defaultValue = ".", description = "Folder to write to (default: this one).")
  private Path out = Path.of(".");

  @Option(names = "--fixtures", description = "Folder of models of other libraries.")
  private Path fixtures = Path.of("fixtures");

  @Option(names = "--peers", description = "Folder of gpu.py.")
  private Path peers = Path.of("peers");

  @Option(names = "--earlier", description = "Folder of evidence to go on from, where OUT has none.")
  private Path earlier = Path.of("evidence");

  @Option(
      names = "--stages",
      split = ",",
      defaultValue = "limits,checks,models,times,peers",
      description = "Which of ${DEFAULT-VALUE}.")
  private List<String> stages = List.of();

  @Option(
      names = "--families",
      split = ",",
      defaultValue = "all",
      description = "Which of gemm, attention, norm, elementwise, rows, casts, token, image, reduce, random, loss,"
          + " optimizer.")
  private List<String> families = List.of();

  @Option(names = "--only", defaultValue = "", description = "Only cases whose name this pattern is found in.")
  private String only = "";

  @Option(
      names = "--processes",
      description = "Processes that check at once (default: half the processors, at most 6).")
  private int processes = Math.clamp(Runtime.getRuntime().availableProcessors() / 2, 1, 6);

  private long start;

  /** The names that {@code --families} takes. */
  public static List<String> families() {
    return Stream.of(CaseFamily.values()).map(CaseFamily::toString).toList();
  }

  /** The program of the bundle. */
  public static void main(String[] args) {
    System.exit(new CommandLine(new GpuRun())
        .setExecutionExceptionHandler((e, command, parsed) -> {
          command.getErr().println("run: " + e.getMessage());
          return CommandLine.ExitCode.SOFTWARE;
        })
        .execute(args));
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    start = System.nanoTime();
    Files.createDirectories(out);
    Path log = out.resolve("run.log");
    Evidence evidence;
    try (PrintWriter lines = new PrintWriter(Files.newBufferedWriter(log))) {
      evidence = run(line -> {
        synchronized (lines) {
          lines.println(line);
          lines.flush();
        }
      });
    }
    Files.move(log, out.resolve(evidence.fileName() + ".log"), StandardCopyOption.REPLACE_EXISTING);
    return evidence.hasFailures() ? 1 : 0;
  }

  private Evidence run(Consumer<String> log) throws IOException, InterruptedException {
    Job about = job("device", "-", log);
    about.run(until(0.2));
    if (about.problem() != null) {
      throw new IOException(about.problem());
    }
    Evidence evidence = new Evidence(
        Instant.now().truncatedTo(ChronoUnit.SECONDS), about.results().getFirst(), device.equals("ptx"));
    Path known = Path.of(evidence.fileName() + ".json");
    evidence.readEarlier(Files.exists(out.resolve(known)) ? out.resolve(known) : earlier.resolve(known));
    tell(log, "%s; results go to %s".formatted(evidence.gpu(), out.resolve(evidence.fileName() + ".json")));
    if (stages.contains("limits")) {
      stage("limits", List.of(job("limits", "-", log)), 1, 0.3, evidence, log);
    }
    if (stages.contains("checks")) {
      stage("checks", jobs("check", log), processes, CHECKS_UNTIL, evidence, log);
    }
    if (stages.contains("models") && Files.isDirectory(fixtures)) {
      stage("models", List.of(job("models", fixtures.toString(), log)), 1, MODELS_UNTIL, evidence, log);
    }
    if (stages.contains("times")) {
      double end = stages.contains("peers") ? TIMES_UNTIL : 1;
      stage("times", jobs("time", log), 1, end, evidence, log);
    }
    if (stages.contains("peers")) {
      peers(evidence, log);
    }
    tell(log, evidence.summary());
    return evidence;
  }

  /** Runs jobs, so many at a time, and keeps what they found: a later stage may take the whole process with it. */
  private void stage(String stage, List<Job> jobs, int atOnce, double part, Evidence evidence, Consumer<String> log)
      throws IOException, InterruptedException {
    long deadline = until(part);
    List<Future<?>> running = new ArrayList<>();
    try (ExecutorService pool = Executors.newFixedThreadPool(atOnce)) {
      for (Job job : jobs) {
        running.add(pool.submit(() -> {
          job.run(deadline);
          synchronized (evidence) {
            evidence.add(stage, job);
          }
          tell(log, "%s %s: %s".formatted(stage, job.name(), Evidence.count(job)));
          return null;
        }));
      }
    }
    for (Future<?> one : running) {
      if (one.state() == Future.State.FAILED) {
        tell(log, stage + ": " + one.exceptionNow());
      }
    }
    evidence.write(out);
  }

  private List<Job> jobs(String task, Consumer<String> log) {
    return families().stream()
        .filter(family -> families.contains("all") || families.contains(family))
        .map(family -> job(task, family, log))
        .toList();
  }

  private Job job(String task, String subject, Consumer<String> log) {
    return new Job(subject.equals("-") ? task : subject, from -> worker(task, subject, from), log);
  }

  private List<String> worker(String task, String subject, int from) {
    List<String> command = new ArrayList<>(List.of(
        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
        "--add-modules",
        "jdk.incubator.vector",
        "--enable-native-access=ALL-UNNAMED",
        "-XX:+UseSerialGC",
        "-cp",
        System.getProperty("java.class.path")));
    System.getProperties().stringPropertyNames().stream()
        .filter(name -> name.startsWith("fovea."))
        .sorted()
        .forEach(name -> command.add("-D" + name + "=" + System.getProperty(name)));
    command.add("-Dfovea.evidence.only=" + only);
    command.addAll(List.of(Worker.class.getName(), task, subject, device, String.valueOf(from)));
    return command;
  }

  private void peers(Evidence evidence, Consumer<String> log) throws IOException, InterruptedException {
    Job vendor = job("vendor", "-", log);
    vendor.run(until(VENDOR_UNTIL));
    evidence.addPeers(vendor);
    tell(log, "cuBLAS and cuDNN: " + (vendor.problem() == null ? Evidence.count(vendor) : vendor.problem()));
    Path shapes = Files.createTempFile("shapes", ".txt");
    Files.write(shapes, evidence.timedShapes());
    Path script = peers.resolve("gpu.py");
    Job job = new Job(
        "peers",
        from -> Arrays.asList("python3", "-u", script.toString(), shapes.toString(), String.valueOf(from)),
        log);
    job.run(until(1));
    Files.delete(shapes);
    evidence.addPeers(job);
    evidence.write(out);
    tell(log, "peers: " + (job.problem() == null ? Evidence.count(job) : job.problem()));
  }

  private long until(double part) {
    return start + (long) (part * minutes * 60e9);
  }

  private void tell(Consumer<String> log, String line) {
    String text = String.format(Locale.ROOT, "%5.0f s  %s", (System.nanoTime() - start) * 1e-9, line);
    log.accept(text);
    System.out.println(text);
  }
}
