package dev.fovea.bench.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.fovea.bench.Suites;
import dev.fovea.bench.cli.RunCommand.Plan;
import dev.fovea.bench.report.Effort;
import dev.fovea.bench.report.Extra;
import dev.fovea.bench.report.Result;
import dev.fovea.bench.report.Results;
import dev.fovea.bench.report.Runs;
import dev.fovea.bench.report.Subject;
import dev.fovea.bench.report.Suite;
import dev.fovea.bench.report.SuiteNote;
import dev.fovea.bench.report.Trial;
import dev.fovea.bench.report.Unavailable;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The command: what it runs, says and ends with. */
class BenchTest {
  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  @BeforeAll
  static void besideOtherBuilds() {
    System.setProperty("jmh.ignoreLock", "true");
  }

  private int run(String... args) {
    return Bench.run(new PrintWriter(out, true), new PrintWriter(err, true), args);
  }

  private Session session(Path folder) {
    return new Session(
        Effort.QUICK, Probe.environment(List.of()), folder, new PrintWriter(out, true), new PrintWriter(err, true));
  }

  private static Plan first(Suite suite, String benchmark) {
    return new Plan(
        suite,
        suite.trials(Effort.QUICK, List.of(1)).stream()
            .filter(trial -> trial.subject().isFovea())
            .filter(trial -> trial.subject().benchmark().equals(benchmark))
            .limit(1)
            .toList());
  }

  /** In processes of its own, as JMH does it. */
  @Test
  void aLimitAndAProductAreMeasured(@TempDir Path folder) throws IOException {
    Suite gemm = Suites.cpu().stream()
        .filter(suite -> suite.note().name().equals("gemm"))
        .findFirst()
        .orElseThrow();
    Results results = session(folder).run(List.of(first(Suites.machine(), "fma"), first(gemm, "run")));
    assertFalse(results.hasFailures(), () -> results.results().toString());
    assertEquals(results, Results.read(folder));
    Result product = results.of("gemm").getFirst();
    assertEquals(1, product.samples().size());
    assertEquals(Effort.QUICK.iterations(), product.samples().getFirst().size());
    assertTrue(product.seconds() > 0 && product.extra(Extra.FLOPS) > 0 && product.extra(Extra.ALLOCATED) >= 0);
    assertTrue(out.toString().contains("1 thread: at most"), out.toString());
    assertTrue(out.toString().contains("GFLOP/s"), out.toString());
    assertFalse(out.toString().contains("Warmup"), "JMH's words go to the log");
    assertTrue(Files.readString(folder.resolve("bench.log")).contains("Warmup"), "the log");
  }

  /** Three ways to end. */
  private static Plan ends() {
    SuiteNote note = new SuiteNote("ends", "three ways to end", null);
    Function<String, Subject> subject = by -> new Subject("ends", "run", Map.of("size", "1"), by, 1);
    List<Trial> trials = List.of(
        trial(subject.apply("fovea"), () -> Result.of(subject.apply("fovea"), List.of(List.of(2.0)), Map.of())),
        trial(subject.apply("absent"), () -> {
          throw new Unavailable("it is not installed");
        }),
        trial(subject.apply("broken"), () -> {
          throw new IllegalStateException("broken: got 1, expected 2");
        }));
    Suite suite = new Suite() {
      @Override
      public SuiteNote note() {
        return note;
      }

      @Override
      public List<Trial> trials(Effort effort, List<Integer> threads) {
        return trials;
      }
    };
    return new Plan(suite, trials);
  }

  private static Trial trial(Subject subject, java.util.function.Supplier<Result> measure) {
    return new Trial() {
      @Override
      public Subject subject() {
        return subject;
      }

      @Override
      public double seconds(Effort effort) {
        return 0.1;
      }

      @Override
      public Result run(Effort effort, PrintStream log, Runnable step) {
        step.run();
        return measure.get();
      }
    };
  }

  @Test
  void aMissingPeerIsBlankAndAWrongAnswerFails(@TempDir Path folder) throws IOException {
    Results results = session(folder).run(List.of(ends()));
    assertTrue(results.hasFailures());
    assertTrue(out.toString().contains("absent is blank: it is not installed"), out.toString());
    assertTrue(out.toString().contains("broken failed: broken: got 1, expected 2"), out.toString());
    assertFalse(Results.read(folder).of("ends").get(1).failed());
    assertTrue(Results.read(folder).of("ends").get(2).failed());
  }

  @Test
  void comparingEndsWithOneOnARegressionAndTwoOnAnotherMachine(@TempDir Path folder) throws IOException {
    Path before = write(folder.resolve("a"), "CPU", 100);
    Path slower = write(folder.resolve("b"), "CPU", 120);
    Path elsewhere = write(folder.resolve("c"), "another CPU", 120);
    assertEquals(0, run("compare", before.toString(), before.toString()), err::toString);
    assertEquals(0, run("compare", slower.toString(), before.toString()), err::toString);
    assertEquals(1, run("compare", before.toString(), slower.toString()), err::toString);
    assertTrue(out.toString().contains("slower  gemm 1x2x3 fovea, 1 thread"), out.toString());
    assertEquals(2, run("compare", before.toString(), elsewhere.toString()));
    assertTrue(err.toString().contains("processor: CPU, then another CPU"), err.toString());
    assertEquals(1, run("compare", "--anyway", before.toString(), elsewhere.toString()));
    assertEquals(2, run("compare", before.toString()));
    assertEquals(2, run("compare", before.toString(), folder.resolve("none").toString()));
  }

  private static Path write(Path folder, String cpu, double mean) throws IOException {
    Runs.of(Runs.environment(cpu), Runs.times(Runs.gemm("1x2x3", "fovea", 1), mean, mean * 1.001, mean * 0.999))
        .write(folder);
    return folder;
  }

  @Test
  void wrongCallsEndWithTwoAndSayWhatWasExpected() {
    assertEquals(2, run("gem"));
    assertTrue(err.toString().contains("SUITE: got gem, expected some of gemm"), err.toString());
    assertEquals(2, run("--device", "tpu"));
    assertTrue(err.toString().contains("--device: got tpu, expected cpu, cuda or cuda:N"), err.toString());
    assertEquals(2, run("--threads", "0"));
    assertEquals(2, run("--quick", "--full"));
    assertEquals(2, run("report", "nowhere"));
  }

  @Test
  void suitesAreListedWithTheirTimes() {
    assertEquals(0, run("--list"), err::toString);
    for (Suite suite : Suites.cpu()) {
      assertTrue(out.toString().contains(suite.note().title()), suite.note().name());
      assertFalse(suite.trials(Effort.QUICK, List.of(1)).isEmpty(), suite.note().name());
    }
  }

  @Test
  void aRunBecomesAReportAndTheReadme(@TempDir Path folder) throws IOException {
    Path results = write(folder.resolve("run"), "CPU", 100);
    assertEquals(0, run("report", results.toString()), err::toString);
    assertTrue(Files.exists(results.resolve("report.html")));
    Files.writeString(folder.resolve("README.md"), "<!-- bench:begin -->\n<!-- bench:end -->\n");
    assertEquals(0, run("readme", results.toString(), "--root", folder.toString()), err::toString);
    assertTrue(Files.readString(folder.resolve("README.md")).contains("| 1 × 2 × 3 | 100 µs | 10 % |"));
    assertTrue(Files.readString(folder.resolve("bench/RESULTS.md")).contains("## gemm"));
    assertTrue(Files.exists(folder.resolve(".pictures/bench-gemm.png")));
    assertEquals(2, run("readme", "--root", folder.toString()));
  }

  @Test
  void whatWasTypedIsKeptWithoutWhereItWent() {
    assertEquals("./fovea bench --quick gemm", Probe.command(List.of("--quick", "--out", "/x/y", "gemm")));
    assertEquals("./fovea bench", Probe.command(List.of("--out=/x/y")));
  }

  @Test
  void librariesAreKnownByTheirJars(@TempDir Path folder) throws IOException {
    Path blas = Files.createDirectory(folder.resolve("blas"));
    for (Path jar : List.of(
        blas.resolve("mkl-2025.3-1.5.13-linux-x86_64-redist.jar"),
        folder.resolve("onnxruntime-1.22.0.jar"),
        folder.resolve("pytorch-native-cpu-2.5.1-linux-x86_64.jar"),
        folder.resolve("gson-2.11.jar"))) {
      Files.createFile(jar);
    }
    assertEquals(
        Map.of("mkl", "2025.3-1.5.13", "onnxruntime", "1.22.0", "pytorch-native-cpu", "2.5.1"), Probe.peers(folder));
    assertEquals(Map.of(), Probe.peers(folder.resolve("none")));
  }
}
