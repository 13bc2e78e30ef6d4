package dev.fovea.bench;

import dev.fovea.bench.report.Effort;
import dev.fovea.bench.report.JmhSuite;
import dev.fovea.bench.report.Suite;
import java.util.List;

/** Everything that {@code ./fovea bench} can run, in the order in which it runs. */
public final class Suites {
  private Suites() {}

  /** This machine's limits: measured before anything else. */
  public static Suite machine() {
    return JmhSuite.of(
            "machine", "the limits of this machine: multiply-adds in registers, and memory", MachineBenchmark.class)
        .threaded();
  }

  /** All suites of the CPU. */
  public static List<Suite> cpu() {
    return List.of(JmhSuite.of("gemm", "F32 products of linear layers, C = A B^T, as m x n x k", GemmBenchmark.class)
        .choose(Effort.QUICK, "shape", "1024x1024x1024", "197x2304x768", "1576x3072x768")
        .choose(Effort.QUICK, "by", "fovea", "openblas:SkylakeX", "mkl"));
  }
}
