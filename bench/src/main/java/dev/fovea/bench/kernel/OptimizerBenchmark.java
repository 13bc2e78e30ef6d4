package dev.fovea.bench.kernel;

import static dev.fovea.bench.peer.Work.Operation.ADAMW;

import dev.fovea.bench.peer.Matrices;
import dev.fovea.bench.peer.Work;
import dev.fovea.bench.peer.Work.Operand;
import dev.fovea.kernels.DType;
import dev.fovea.kernels.OptimizerKernels.Adafactor;
import dev.fovea.kernels.OptimizerKernels.AdamW;
import dev.fovea.kernels.OptimizerKernels.Factors;
import dev.fovea.kernels.OptimizerKernels.Rounding;
import dev.fovea.kernels.OptimizerKernels.Sgd;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.cpu.CpuKernels;
import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** Steps of one weight: the first layer of an MLP. */
public class OptimizerBenchmark extends KernelFamily {
  /** Model. */
  @Param({"B/16", "g/14"})
  public String shape = "";

  @Override
  Work work(String kernel, CpuKernels kernels) {
    Shapes.Model model = Shapes.model(shape);
    int rows = model.mlp();
    int columns = model.width();
    long count = (long) rows * columns;
    Span param = Matrices.random(count, 1);
    Span gradient = Matrices.random(count, 2);
    Span m = Matrices.zeros(count);
    Span v = Matrices.zeros(count);
    return switch (kernel) {
      case "adamW" -> {
        AdamW rule = new AdamW(Work.LEARNING_RATE, 0.9f, 0.999f, 1e-8f, 0, 1);
        yield new Work(
            ADAMW,
            List.of(Operand.of(param, count), Operand.of(gradient, count), Operand.of(m, count), Operand.of(v, count)),
            Operand.of(param, count),
            set -> set.optimizer().adamW(rule, param, gradient, null, m, v, Rounding.NEAREST),
            0,
            Work.traffic(4.0 * count, 12.0 * count));
      }
      case "adafactor" -> {
        Adafactor rule = new Adafactor(1e-3f, 0, 0.9f, 0.8f, 0.999f, 1e-30f, 2);
        Factors factors = Factors.matrix(rows, columns);
        Span half = Matrices.of(DType.BF16, count, 3);
        Span perRow = Matrices.positive(rows, 4);
        Span perColumn = Matrices.positive(columns, 5);
        // The update needs the means over the whole gradient, which is read once more for them.
        yield Work.ofOurs(
            0,
            Work.traffic(8.0 * count, 6.0 * count),
            set -> set.optimizer()
                .adafactor(rule, factors, param, gradient, null, perRow, perColumn, half, Rounding.NEAREST));
      }
      case "sgd" -> {
        Sgd rule = new Sgd(1e-3f, 0.9f, 0, false);
        yield Work.ofOurs(
            0,
            Work.traffic(4.0 * count, 8.0 * count),
            set -> set.optimizer().sgd(rule, param, gradient, null, m, Rounding.NEAREST));
      }
      default -> throw new IllegalArgumentException(kernel);
    };
  }

  @Benchmark
  public void adamW() {
    call();
  }

  /** With factored second and BF16 first moment. */
  @Benchmark
  public void adafactor() {
    call();
  }

  @Benchmark
  public void sgd() {
    call();
  }
}
