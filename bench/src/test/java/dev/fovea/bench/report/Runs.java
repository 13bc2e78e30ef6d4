package dev.fovea.bench.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Runs as a machine could have made them. */
public final class Runs {
  private Runs() {}

  public static Environment environment(String cpu) {
    return new Environment(
        "2026-01-01T00:00:00Z",
        "./fovea bench",
        "1.0",
        "abcdef",
        cpu,
        2,
        "512-bit vectors",
        1L << 33,
        "Linux 6",
        "VM 25",
        List.of("--add-modules", "jdk.incubator.vector"),
        null,
        Map.of("mkl", "1"));
  }

  public static Subject gemm(String shape, String variant, int threads) {
    return new Subject("gemm", "run", Map.of("shape", shape), variant, threads);
  }

  /** Three processes of three iterations around these means. */
  public static Result times(Subject subject, double... means) {
    List<List<Double>> samples = new ArrayList<>();
    for (double mean : means) {
      samples.add(List.of(mean * 0.999, mean, mean * 1.001));
    }
    return Result.of(subject, samples, Map.of(Extra.FLOPS, 1e6, Extra.BYTES, 1e4, Extra.ALLOCATED, 96.0));
  }

  public static Result limit(String what, String extra, double work, int threads) {
    return Result.of(
        new Subject(Limits.SUITE, what, Map.of(), "fovea", threads), List.of(List.of(9.0, 11.0)), Map.of(extra, work));
  }

  public static Results of(Result... results) {
    return of(environment("CPU"), results);
  }

  public static Results of(Environment environment, Result... results) {
    List<Result> all = new ArrayList<>(List.of(
        limit("fma", Extra.FLOPS, 1e6, 1), limit("copy", Extra.BYTES, 4e5, 1), limit("fma", Extra.FLOPS, 2e6, 2)));
    all.addAll(List.of(results));
    return new Results(
        Effort.NORMAL,
        environment,
        List.of(new SuiteNote("gemm", "products", null), new SuiteNote("depth", "steps of training", "depth")),
        all);
  }
}
