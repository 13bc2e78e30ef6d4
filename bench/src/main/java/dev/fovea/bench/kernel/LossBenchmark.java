package dev.fovea.bench.kernel;

import static dev.fovea.bench.peer.Work.Operation.CROSS_ENTROPY;
import static dev.fovea.bench.peer.Work.Operation.SOFTMAX;

import dev.fovea.bench.peer.Matrices;
import dev.fovea.bench.peer.Work;
import dev.fovea.bench.peer.Work.Operand;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.cpu.CpuKernels;
import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** Losses over the classes of ImageNet, and their gradients. */
public class LossBenchmark extends KernelFamily {
  /** Data set and pictures. */
  @Param({"ImageNet-1k 1024", "ImageNet-21k 256"})
  public String shape = "";

  /** Pictures and classes. */
  record Size(int rows, int classes) {
    static Size of(String shape) {
      int space = shape.indexOf(' ');
      return new Size(Integer.parseInt(shape.substring(space + 1)), Shapes.classes(shape.substring(0, space)));
    }
  }

  @Override
  Work work(String kernel, CpuKernels kernels) {
    Size size = Size.of(shape);
    int rows = size.rows;
    int classes = size.classes;
    long count = (long) rows * classes;
    Span logits = Matrices.random(count, 1);
    Span labels = Matrices.integers(rows, classes, 2);
    Span losses = Matrices.zeros(rows);
    Span out = Matrices.zeros(count);
    float scale = 1f / rows;
    double bytes = 4.0 * count;
    return switch (kernel) {
      case "softmax" ->
        new Work(
            SOFTMAX,
            List.of(Operand.of(logits, rows, classes)),
            Operand.of(out, rows, classes),
            set -> set.loss().softmax(rows, classes, logits, out),
            0,
            Work.traffic(bytes, bytes));
      case "softmaxCrossEntropy" ->
        new Work(
            CROSS_ENTROPY,
            List.of(Operand.of(logits, rows, classes), Operand.of(labels, rows)),
            Operand.of(losses, rows),
            set -> set.loss().softmaxCrossEntropy(rows, classes, 0, 1, null, logits, labels, null, losses, null),
            0,
            bytes);
      case "softmaxCrossEntropyGradient" ->
        Work.ofOurs(
            0,
            Work.traffic(bytes, bytes),
            set -> set.loss().softmaxCrossEntropy(rows, classes, 0, scale, null, logits, labels, null, losses, out));
      case "sigmoidCrossEntropyGradient" ->
        Work.ofOurs(
            0,
            Work.traffic(bytes, bytes),
            set -> set.loss().sigmoidCrossEntropy(rows, classes, 0, scale, null, logits, labels, null, losses, out));
      default -> throw new IllegalArgumentException(kernel);
    };
  }

  @Benchmark
  public void softmax() {
    call();
  }

  /** Losses alone. */
  @Benchmark
  public void softmaxCrossEntropy() {
    call();
  }

  /** Losses and gradient in one pass. */
  @Benchmark
  public void softmaxCrossEntropyGradient() {
    call();
  }

  /** Losses and gradient in one pass. */
  @Benchmark
  public void sigmoidCrossEntropyGradient() {
    call();
  }
}
