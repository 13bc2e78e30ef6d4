package dev.fovea.bench.kernel;

import dev.fovea.bench.peer.Matrices;
import dev.fovea.bench.peer.Work;
import dev.fovea.kernels.DType;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.cpu.CpuKernels;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** Philox random numbers, as many as the hidden values of an MLP. */
public class RandomBenchmark extends KernelFamily {
  @Param({"S/16 8x197", "B/16 8x197"})
  public String shape = "";

  @Override
  Work work(String kernel, CpuKernels kernels) {
    PaperShape size = PaperShape.of(shape);
    long count = (long) size.rows() * size.mlp();
    Span numbers = Matrices.zeros(count);
    Span integers = new Span(numbers.address(), numbers.bytes(), DType.I32);
    double bytes = Work.traffic(0, 4.0 * count);
    return switch (kernel) {
      case "bits" -> Work.ofOurs(0, bytes, set -> set.random().bits(integers, 1, 2));
      case "uniform" -> Work.ofOurs(0, bytes, set -> set.random().uniform(numbers, 0, 1, 1, 2));
      case "normal" -> Work.ofOurs(0, bytes, set -> set.random().normal(numbers, 0, 1, 1, 2));
      case "keep" -> Work.ofOurs(0, bytes, set -> set.random().keep(numbers, 0.9f, 1, 2));
      default -> throw new IllegalArgumentException(kernel);
    };
  }

  @Benchmark
  public void bits() {
    call();
  }

  @Benchmark
  public void uniform() {
    call();
  }

  @Benchmark
  public void normal() {
    call();
  }

  /** Masks of stochastic depth. */
  @Benchmark
  public void keep() {
    call();
  }
}
