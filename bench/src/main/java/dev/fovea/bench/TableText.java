package dev.fovea.bench;

import dev.fovea.kernels.contract.KernelCase;
import dev.fovea.kernels.cpu.CpuKernels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** Results as Markdown: rates, their error, and their ratio to the machine's limits and to the peers. */
final class TableText {
  private final List<Score> results;
  private final List<Score> narrow;

  /**
   * Of one run.
   *
   * @param results the machine's limits and all suites at the preferred width
   * @param narrow products at 256 bit
   */
  TableText(List<Score> results, List<Score> narrow) {
    this.results = results;
    this.narrow = narrow;
  }

  String render() {
    return """
        %s

        %s
        With B, the weight, packed once beforehand:

        %s
        The same as the first with vectors of 256 bit, for the peers too:

        %s
        %s
        %s
        %s\
        """.formatted(
            machine(),
            gemm(
                results,
                "fovea",
                List.of("openblas", "openblas:SkylakeX", "mkl"),
                "to OpenBLAS | to OpenBLAS, best core type | to MKL"),
            gemm(results, "fovea:packed", List.of("mkl:packed"), "to MKL"),
            gemm(narrow, "fovea", List.of("openblas:Haswell", "mkl:AVX2"), "to OpenBLAS | to MKL"),
            compute(),
            memory(),
            models());
  }

  private String machine() {
    return """
        Measured on %s, %s, Java %s. Peak of fused multiply-adds: %.0f GFLOP/s on one thread, %.0f on two; copying memory: \
        %.1f GB/s read and written on one, %.1f on two. JMH, average time, 99.9 %% error; ratios above 1 mean that Fovea is \
        faster. Bytes are what a call allocates on the Java heap.\
        """.formatted(
            processor(),
            CpuKernels.create(1).description().replace("cpu: 1 thread, ", ""),
            Runtime.version(),
            peak(1),
            peak(2),
            bandwidth(1),
            bandwidth(2));
  }

  private static String processor() {
    try {
      return Files.readAllLines(Path.of("/proc/cpuinfo")).stream()
          .filter(line -> line.startsWith("model name"))
          .map(line -> line.substring(line.indexOf(':') + 2))
          .findFirst()
          .orElse(System.getProperty("os.arch"));
    } catch (IOException e) {
      return System.getProperty("os.arch");
    }
  }

  /** GFLOP/s of all threads together. */
  private double peak(int threads) {
    return threads * MachineBenchmark.flops() / machine("fma", threads) / 1e3;
  }

  /** GB/s of all threads together, reads and writes added. */
  private double bandwidth(int threads) {
    return threads * 2.0 * MachineBenchmark.COPIED / machine("copy", threads) / 1e3;
  }

  private double machine(String method, int threads) {
    return results.stream()
        .filter(r -> r.benchmark().endsWith("MachineBenchmark." + method))
        .filter(r -> r.threads() == threads)
        .mapToDouble(Score::micros)
        .findFirst()
        .orElse(Double.NaN);
  }

  private String gemm(List<Score> all, String by, List<String> peers, String heads) {
    StringBuilder text = new StringBuilder("| product m x n x k | threads | GFLOP/s | of peak | %s | bytes |\n|%s\n"
        .formatted(heads, "---|".repeat(5 + peers.size())));
    for (Score result : of(all, "GemmBenchmark")) {
      if (!result.parameter("by").equals(by)) {
        continue;
      }
      String shape = result.parameter("shape");
      double flops = 2;
      for (String size : shape.split("x", -1)) {
        flops *= Integer.parseInt(size);
      }
      int threads = result.kernelThreads();
      List<String> ratios = new ArrayList<>();
      for (String peer : peers) {
        ratios.add(peer(all, peer, shape, threads)
            .map(r -> "%.2f".formatted(r.micros() / result.micros()))
            .orElse("not run"));
      }
      text.append("| %s | %d | %s | %s | %s | %s |\n"
          .formatted(
              shape,
              threads,
              result.rate(flops),
              result.share(flops, peak(threads)),
              String.join(" | ", ratios),
              result.garbage()));
    }
    return text.toString();
  }

  private static Optional<Score> peer(List<Score> all, String by, String shape, int threads) {
    return of(all, "GemmBenchmark").stream()
        .filter(r -> r.parameter("by").equals(by) && r.parameter("shape").equals(shape))
        .filter(r -> r.kernelThreads() == threads)
        .findFirst();
  }

  /** Whole models, if they were there to be measured. */
  private String models() {
    List<Score> all = of(results, "ModelBenchmark");
    if (all.isEmpty()) {
      return "";
    }
    StringBuilder text = new StringBuilder("""
        | model | pass | batch | threads | ms | to ONNX Runtime |
        |---|---|---|---|---|---|
        """);
    for (Score result : all) {
      if (result.parameter("by").equals("fovea")) {
        String ratio = all.stream()
            .filter(r -> r.parameter("by").equals("onnxruntime") && sameModel(r, result))
            .findFirst()
            .map(r -> "%.2f".formatted(r.micros() / result.micros()))
            .orElse("");
        text.append("| %s | %s | %s | %s | %.1f ± %.1f | %s |\n"
            .formatted(
                result.parameter("model"),
                result.parameter("pass"),
                result.parameter("batch"),
                result.parameter("threads"),
                result.micros(),
                result.error(),
                ratio));
      }
    }
    return text.toString();
  }

  private static boolean sameModel(Score a, Score b) {
    return Stream.of("model", "pass", "batch", "threads")
        .allMatch(name -> a.parameter(name).equals(b.parameter(name)));
  }

  /** Kernels measured by their arithmetic, against the peak. */
  private String compute() {
    StringBuilder text = new StringBuilder("""
        | kernel | threads | GFLOP/s | of peak | bytes |
        |---|---|---|---|---|
        """);
    for (Score result : of(results, "KernelBenchmark")) {
      KernelCase test = TimedCases.named(result.parameter("test"));
      if (test.flops() > 0) {
        int threads = result.kernelThreads();
        text.append("| %s | %d | %s | %s | %s |\n"
            .formatted(
                test, threads, result.rate(test.flops()), result.share(test.flops(), peak(threads)), result.garbage()));
      }
    }
    return text.toString();
  }

  /** Kernels measured by the bytes they move, against copying. */
  private String memory() {
    StringBuilder text = new StringBuilder("""
        | kernel | threads | GB/s | of copying | bytes |
        |---|---|---|---|---|
        """);
    for (Score result : of(results, "KernelBenchmark")) {
      KernelCase test = TimedCases.named(result.parameter("test"));
      if (test.flops() == 0) {
        int threads = result.kernelThreads();
        text.append("| %s | %d | %s | %s | %s |\n"
            .formatted(
                test,
                threads,
                result.rate(test.bytes()),
                result.share(test.bytes(), bandwidth(threads)),
                result.garbage()));
      }
    }
    return text.toString();
  }

  private static List<Score> of(List<Score> all, String suite) {
    return all.stream().filter(r -> r.benchmark().contains("." + suite + ".")).toList();
  }
}
