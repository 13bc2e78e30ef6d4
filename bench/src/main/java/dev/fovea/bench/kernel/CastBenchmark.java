package dev.fovea.bench.kernel;

import dev.fovea.bench.peer.Matrices;
import dev.fovea.bench.peer.Work;
import dev.fovea.kernels.DType;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.cpu.CpuKernels;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** Between F32 and BF16, of the hidden values of an MLP. */
public class CastBenchmark extends KernelFamily {
  @Param({"S/16 32x197", "B/16 16x197"})
  public String shape = "";

  @Override
  Work work(String kernel, CpuKernels kernels) {
    PaperShape size = PaperShape.of(shape);
    long count = (long) size.rows() * size.mlp();
    Span full = Matrices.random(count, 1);
    Span half = Matrices.of(DType.BF16, count, 2);
    double narrowed = Work.traffic(4.0 * count, 2.0 * count);
    double widened = Work.traffic(2.0 * count, 4.0 * count);
    return switch (kernel) {
      case "toBf16" -> Work.ofOurs(0, narrowed, set -> set.elementwise().cast(full, half));
      case "fromBf16" -> Work.ofOurs(0, widened, set -> set.elementwise().cast(half, full));
      case "stochastic" -> Work.ofOurs(0, narrowed, set -> set.elementwise().castStochastic(full, half, 42, 1));
      default -> throw new IllegalArgumentException(kernel);
    };
  }

  @Benchmark
  public void toBf16() {
    call();
  }

  @Benchmark
  public void fromBf16() {
    call();
  }

  /** To BF16, up or down by chance. */
  @Benchmark
  public void stochastic() {
    call();
  }
}
