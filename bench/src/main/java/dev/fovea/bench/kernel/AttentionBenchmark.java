package dev.fovea.bench.kernel;

import static dev.fovea.bench.peer.Work.Operation.ATTENTION;

import dev.fovea.bench.peer.Matrices;
import dev.fovea.bench.peer.Work;
import dev.fovea.bench.peer.Work.Operand;
import dev.fovea.kernels.Attention;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.cpu.CpuKernels;
import java.util.List;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** Attention of all heads between a fused projection's output and the next layer's input, and its gradient. */
public class AttentionBenchmark extends KernelFamily {
  /** Model, pictures and tokens: 197 and 577 are 224 and 384 pixels with a class token. */
  @Param({
    "S/16 1x197",
    "B/16 1x197",
    "B/16 1x577",
    "B/16 1x1024",
    "B/16 8x197",
    "L/16 1x197",
    "So400m/14 1x256",
    "So400m/14 1x729",
    "g/14 1x257"
  })
  public String shape = "";

  @Override
  Work work(String kernel, CpuKernels kernels) {
    return work(PaperShape.of(shape), kernel.equals("backward"), kernels);
  }

  static Work work(PaperShape size, boolean backward, CpuKernels kernels) {
    int width = size.width();
    long tokens = size.rows();
    Span qkv = Matrices.random(3 * tokens * width, 1);
    Span out = Matrices.zeros(tokens * width);
    Span lse = Matrices.zeros(tokens * size.heads());
    Attention call = new Attention(size.batch(), size.heads(), size.tokens(), size.tokens(), size.headWidth())
        .qkv(qkv, 3L * width)
        .o(out, width)
        .lse(lse);
    double bytes = 4.0 * tokens * width;
    double product = 2.0 * size.batch() * size.tokens() * size.tokens() * width;
    if (backward) {
      kernels.attention().forward(call);
      Span gradient = Matrices.zeros(3 * tokens * width);
      call.dO(Matrices.random(tokens * width, 2), width)
          .dq(gradient, 3L * width)
          .dk(gradient.from(width), 3L * width)
          .dv(gradient.from(2L * width), 3L * width);
      return Work.ofOurs(
          5 * product,
          Work.traffic(5 * bytes, 3 * bytes),
          set -> set.attention().backward(call));
    }
    return new Work(
        ATTENTION,
        List.of(Operand.of(qkv, size.batch(), size.tokens(), 3, size.heads(), size.headWidth())),
        Operand.of(out, size.batch(), size.tokens(), size.heads(), size.headWidth()),
        set -> set.attention().forward(call),
        2 * product,
        Work.traffic(3 * bytes, bytes));
  }

  @Benchmark
  public void forward() {
    call();
  }

  @Benchmark
  public void backward() {
    call();
  }
}
