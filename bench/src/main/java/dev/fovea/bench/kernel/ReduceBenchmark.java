package dev.fovea.bench.kernel;

import static dev.fovea.bench.peer.Work.Operation.SUM;

import dev.fovea.bench.peer.Matrices;
import dev.fovea.bench.peer.Work;
import dev.fovea.bench.peer.Work.Operand;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.Sums;
import dev.fovea.kernels.cpu.CpuKernels;
import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** Sums and norms over the hidden values of an MLP. */
public class ReduceBenchmark extends KernelFamily {
  @Param({"S/16 32x197", "B/16 16x197"})
  public String shape = "";

  @Override
  Work work(String kernel, CpuKernels kernels) {
    PaperShape size = PaperShape.of(shape);
    int rows = size.rows();
    int columns = size.mlp();
    long count = (long) rows * columns;
    Span x = Matrices.positive(count, 1);
    Span out = Matrices.zeros(1);
    Span sums = Matrices.zeros(columns);
    double bytes = 4.0 * count;
    return switch (kernel) {
      case "sum" ->
        new Work(
            SUM,
            List.of(Operand.of(x, count)),
            Operand.of(out, 1),
            set -> set.reduce().sum(x, out),
            0,
            bytes);
      case "sumOfSquares" -> Work.ofOurs(0, bytes, set -> set.reduce().sumOfSquares(x, out));
      case "maxAbs" -> Work.ofOurs(0, bytes, set -> set.reduce().maxAbs(x, out));
      case "columnSums" ->
        Work.ofOurs(0, bytes, set -> set.reduce().columnSums(rows, columns, x, columns, Sums.into(sums)));
      default -> throw new IllegalArgumentException(kernel);
    };
  }

  @Benchmark
  public void sum() {
    call();
  }

  /** For the global norm of a gradient. */
  @Benchmark
  public void sumOfSquares() {
    call();
  }

  @Benchmark
  public void maxAbs() {
    call();
  }

  /** The gradient of a bias. */
  @Benchmark
  public void columnSums() {
    call();
  }
}
