package dev.fovea.bench.kernel;

import static dev.fovea.bench.peer.Work.Operation.LAYER_NORM;

import dev.fovea.bench.peer.Matrices;
import dev.fovea.bench.peer.Work;
import dev.fovea.bench.peer.Work.Operand;
import dev.fovea.kernels.DType;
import dev.fovea.kernels.Norm;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.Sums;
import dev.fovea.kernels.cpu.CpuKernels;
import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** Normalisation of tokens, and its gradient. */
public class NormBenchmark extends KernelFamily {
  @Param({"S/16 32x197", "B/16 32x197", "So400m/14 32x256", "g/14 8x257"})
  public String shape = "";

  /** Of tokens and their gradients; weights are F32. */
  @Param({"F32", "BF16"})
  public DType dtype = DType.F32;

  @Override
  Work work(String kernel, CpuKernels kernels) {
    PaperShape size = PaperShape.of(shape);
    int width = size.width();
    long rows = size.rows();
    Norm norm = kernel.equals("rms") ? Norm.rms(rows, width, 1e-6f) : Norm.layer(rows, width, 1e-6f);
    Span x = Matrices.of(dtype, rows * width, 1);
    Span y = Matrices.of(dtype, rows * width, 5);
    Span weight = Matrices.random(width, 2);
    Span bias = kernel.equals("rms") ? null : Matrices.random(width, 3);
    double bytes = (double) dtype.bytes() * rows * width;
    if (kernel.equals("backward")) {
      Span stats = Matrices.zeros(norm.statsCount());
      kernels.norm().forward(norm, x, width, weight, bias, y, width, stats);
      Span dy = Matrices.of(dtype, rows * width, 4);
      Sums dWeight = Sums.into(Matrices.zeros(width));
      Sums dBias = Sums.into(Matrices.zeros(width));
      return Work.ofOurs(
          0,
          Work.traffic(2 * bytes, bytes),
          set -> set.norm().backward(norm, x, width, weight, stats, dy, width, null, y, width, dWeight, dBias));
    }
    if (bias == null || dtype != DType.F32) {
      return Work.ofOurs(
          0, Work.traffic(bytes, bytes), set -> set.norm().forward(norm, x, width, weight, bias, y, width, null));
    }
    return new Work(
        LAYER_NORM,
        List.of(Operand.of(x, rows, width), Operand.of(weight, width), Operand.of(bias, width)),
        Operand.of(y, rows, width),
        set -> set.norm().forward(norm, x, width, weight, bias, y, width, null),
        0,
        Work.traffic(bytes, bytes));
  }

  @Benchmark
  public void layer() {
    call();
  }

  @Benchmark
  public void rms() {
    call();
  }

  /** Of a layer norm, with the gradients of weight and bias. */
  @Benchmark
  public void backward() {
    call();
  }
}
