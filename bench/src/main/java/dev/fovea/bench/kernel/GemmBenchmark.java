package dev.fovea.bench.kernel;

import static dev.fovea.bench.peer.Work.Operation.LINEAR;

import dev.fovea.bench.peer.Matrices;
import dev.fovea.bench.peer.Work;
import dev.fovea.bench.peer.Work.Operand;
import dev.fovea.kernels.Gemm;
import dev.fovea.kernels.Layout;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.cpu.CpuKernels;
import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/**
 * F32 {@code C = A B^T}, the product of a linear layer. Variants: {@code fovea:packed} and {@code mkl:packed} pack the
 * weight B once beforehand; {@code openblas:SkylakeX} is told which core type to take, {@code mkl:AVX2} which
 * instructions.
 */
public class GemmBenchmark extends KernelFamily {
  /** m x n x k, or a layer of a model: qkv, proj, fc1 or fc2. */
  @Param({
    "1024x1024x1024",
    "2048x2048x2048",
    "S/16 1x197 fc1",
    "B/16 1x197 qkv",
    "B/16 1x197 fc2",
    "B/16 8x197 qkv",
    "B/16 8x197 proj",
    "B/16 8x197 fc1",
    "B/16 8x197 fc2",
    "L/16 1x197 fc1",
    "So400m/14 8x256 qkv",
    "So400m/14 8x256 fc1",
    "So400m/14 8x256 fc2",
    "g/14 1x257 fc1"
  })
  public String shape = "";

  /** Rows of activations, columns out, columns in. */
  record Size(int m, int n, int k) {
    static Size of(String shape) {
      if (shape.matches("\\d+x\\d+x\\d+")) {
        String[] sizes = shape.split("x", -1);
        return new Size(Integer.parseInt(sizes[0]), Integer.parseInt(sizes[1]), Integer.parseInt(sizes[2]));
      }
      PaperShape paper = PaperShape.of(shape);
      int width = paper.width();
      return switch (paper.part()) {
        case "qkv" -> new Size(paper.rows(), 3 * width, width);
        case "proj" -> new Size(paper.rows(), width, width);
        case "fc1" -> new Size(paper.rows(), paper.mlp(), width);
        case "fc2" -> new Size(paper.rows(), width, paper.mlp());
        default ->
          throw new IllegalArgumentException("layer: got %s, expected qkv, proj, fc1 or fc2".formatted(paper.part()));
      };
    }
  }

  @Override
  Work work(String kernel, CpuKernels kernels) {
    Size size = Size.of(shape);
    int m = size.m;
    int n = size.n;
    int k = size.k;
    Span a = Matrices.random((long) m * k, 1);
    Span b = Matrices.random((long) n * k, 2);
    Span c = Matrices.zeros((long) m * n);
    Gemm gemm = new Gemm(Layout.NT, m, n, k).a(a, k).b(b, k).c(c, n);
    if (by.equals("fovea:packed")) {
      Span packed = Matrices.zeros(kernels.gemm().packedBytes(Layout.NT, n, k) / Float.BYTES);
      kernels.gemm().pack(Layout.NT, n, k, b, k, packed);
      gemm.packedB(packed);
    }
    return new Work(
        LINEAR,
        List.of(Operand.of(a, m, k), Operand.of(b, n, k)),
        Operand.of(c, m, n),
        set -> set.gemm().run(gemm),
        2.0 * m * n * k,
        Work.traffic(4.0 * k * (m + n), 4.0 * m * n));
  }

  @Benchmark
  public void run() {
    call();
  }
}
