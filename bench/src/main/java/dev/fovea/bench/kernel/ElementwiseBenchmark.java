package dev.fovea.bench.kernel;

import static dev.fovea.bench.peer.Work.Operation.ADD;
import static dev.fovea.bench.peer.Work.Operation.GELU;
import static dev.fovea.bench.peer.Work.Operation.GELU_TANH;

import dev.fovea.bench.peer.Matrices;
import dev.fovea.bench.peer.Work;
import dev.fovea.bench.peer.Work.Operand;
import dev.fovea.kernels.Activation;
import dev.fovea.kernels.DType;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.cpu.CpuKernels;
import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** Pointwise kernels on the hidden values of an MLP. */
public class ElementwiseBenchmark extends KernelFamily {
  @Param({"S/16 32x197", "B/16 16x197"})
  public String shape = "";

  /** Of all operands. */
  @Param({"F32", "BF16"})
  public DType dtype = DType.F32;

  @Override
  Work work(String kernel, CpuKernels kernels) {
    PaperShape size = PaperShape.of(shape);
    long count = (long) size.rows() * size.mlp();
    Span x = Matrices.of(dtype, count, 1);
    Span y = Matrices.of(dtype, count, 2);
    Span z = Matrices.of(dtype, count, 3);
    double bytes = (double) dtype.bytes() * count;
    double one = Work.traffic(bytes, bytes);
    double two = Work.traffic(2 * bytes, bytes);
    return switch (kernel) {
      case "gelu" ->
        new Work(
            GELU,
            List.of(Operand.of(x, count)),
            Operand.of(z, count),
            set -> set.elementwise().activation(Activation.GELU_ERF, x, z),
            0,
            one);
      case "add" ->
        new Work(
            ADD,
            List.of(Operand.of(x, count), Operand.of(y, count)),
            Operand.of(z, count),
            set -> set.elementwise().combine(1, x, 1, y, z),
            0,
            two);
      case "geluTanh" ->
        new Work(
            GELU_TANH,
            List.of(Operand.of(x, count)),
            Operand.of(z, count),
            set -> set.elementwise().activation(Activation.GELU_TANH, x, z),
            0,
            one);
      case "geluGradient" ->
        Work.ofOurs(0, two, set -> set.elementwise().activationGradient(Activation.GELU_ERF, x, y, z));
      case "multiply" -> Work.ofOurs(0, two, set -> set.elementwise().multiply(x, y, z));
      case "swiglu" ->
        Work.ofOurs(
            0,
            Work.traffic(bytes, bytes / 2),
            set -> set.elementwise().swiglu(size.rows(), size.mlp() / 2, x, z.slice(0, count / 2)));
      default -> throw new IllegalArgumentException(kernel);
    };
  }

  /** With the error function. */
  @Benchmark
  public void gelu() {
    call();
  }

  @Benchmark
  public void geluTanh() {
    call();
  }

  @Benchmark
  public void geluGradient() {
    call();
  }

  @Benchmark
  public void add() {
    call();
  }

  @Benchmark
  public void multiply() {
    call();
  }

  @Benchmark
  public void swiglu() {
    call();
  }
}
