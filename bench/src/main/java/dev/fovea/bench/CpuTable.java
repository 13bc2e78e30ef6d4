package dev.fovea.bench;

import dev.fovea.kernels.contract.KernelCase;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.format.ResultFormatType;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/**
 * Measures this machine's limits, the kernels and their peers in one run, and writes the README's CPU table.
 *
 * <pre>{@code
 * mvn -Ppeers -DskipTests package
 * java --add-modules jdk.incubator.vector -cp "bench/target/benchmarks.jar:bench/target/peers/*" dev.fovea.bench.CpuTable README.md
 * }</pre>
 */
public final class CpuTable {
  private static final String BEGIN = "<!-- bench:begin -->";
  private static final String END = "<!-- bench:end -->";

  private CpuTable() {}

  /**
   * Measures and writes.
   *
   * @param args the file whose region between the markers is replaced; {@code --quick} for one short fork each;
   *     {@code --render} to write the table of the last run again
   */
  public static void main(String[] args) throws RunnerException, IOException {
    List<String> arguments = new ArrayList<>(List.of(args));
    boolean quick = arguments.remove("--quick");
    boolean render = arguments.remove("--render");
    if (arguments.size() != 1) {
      System.err.println("usage: CpuTable FILE [--quick | --render]");
      System.exit(2);
    }
    if (!render) {
      measure(quick);
    }
    Path file = Path.of(arguments.getFirst());
    String text = Files.readString(file);
    int begin = text.indexOf(BEGIN);
    int end = text.indexOf(END);
    if (begin < 0 || end < begin) {
      throw new IllegalArgumentException(file + ": got no region, expected " + BEGIN + " and " + END);
    }
    List<Score> scores = new ArrayList<>();
    for (String name : List.of("machine-1", "machine-2", "gemm", "kernels")) {
      scores.addAll(Score.read(results(name)));
    }
    if (Files.exists(results("models"))) {
      scores.addAll(Score.read(results("models")));
    }
    String table = new TableText(scores, Score.read(results("gemm-256"))).render();
    Files.writeString(file, text.substring(0, begin) + BEGIN + "\n" + table + text.substring(end));
  }

  private static void measure(boolean quick) throws RunnerException {
    for (int threads = 1; threads <= 2; threads++) {
      run(options("MachineBenchmark", quick).threads(threads), "machine-" + threads);
    }
    run(options("GemmBenchmark", quick).addProfiler(GCProfiler.class), "gemm");
    run(narrow(quick).addProfiler(GCProfiler.class), "gemm-256");
    String[] kernels =
        TimedCases.all().filter(CpuTable::shown).map(KernelCase::toString).toArray(String[]::new);
    run(options("KernelBenchmark", quick).param("test", kernels).addProfiler(GCProfiler.class), "kernels");
    if (Files.isDirectory(ModelBenchmark.MODELS)) {
      run(options("ModelBenchmark", quick), "models");
    }
  }

  /** What the README shows of the kernels that have no peer here: those that models spend their time in. */
  private static boolean shown(KernelCase test) {
    String name = test.toString();
    return name.startsWith("attention") && name.contains(" 1x")
        || name.startsWith("norm.") && name.contains(" layer ")
        || name.startsWith("elementwise.activation ")
        || name.startsWith("elementwise.combine")
        || name.startsWith("optimizer.") && (name.contains("16777216") || name.contains("4096"));
  }

  /** Everybody at 256 bit: peers told to use AVX2, as on most machines they must. */
  private static ChainedOptionsBuilder narrow(boolean quick) {
    return options("GemmBenchmark", quick)
        .jvmArgsAppend("--add-modules", "jdk.incubator.vector", "-XX:UseAVX=2")
        .param("by", "fovea", "openblas:Haswell", "mkl:AVX2")
        .param("shape", "1024x1024x1024", "197x2304x768", "1576x3072x768", "2048x4304x1152");
  }

  private static ChainedOptionsBuilder options(String suite, boolean quick) {
    ChainedOptionsBuilder options =
        new OptionsBuilder().include("\\." + suite + "\\.").shouldFailOnError(false);
    return quick ? options.forks(1).warmupIterations(2).measurementIterations(3) : options;
  }

  private static void run(ChainedOptionsBuilder options, String name) throws RunnerException {
    new Runner(options
            .resultFormat(ResultFormatType.JSON)
            .result(results(name).toString())
            .build())
        .run();
  }

  private static Path results(String name) {
    return Path.of("bench", "target", "jmh-" + name + ".json");
  }
}
