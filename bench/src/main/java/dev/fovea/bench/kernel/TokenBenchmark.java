package dev.fovea.bench.kernel;

import dev.fovea.bench.peer.Matrices;
import dev.fovea.bench.peer.Work;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.Sums;
import dev.fovea.kernels.cpu.CpuKernels;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.Param;

/** Kernels that assemble, pick and pool tokens. */
public class TokenBenchmark extends KernelFamily {
  @Param({"S/16 32x197", "B/16 32x197"})
  public String shape = "";

  @Override
  Work work(String kernel, CpuKernels kernels) {
    PaperShape size = PaperShape.of(shape);
    int batch = size.batch();
    int tokens = size.tokens();
    int width = size.width();
    long count = (long) size.rows() * width;
    Span all = Matrices.random(count, 1);
    Span out = Matrices.zeros(count);
    Span patches = Matrices.random(count - (long) batch * width, 2);
    Span prefix = Matrices.random(width, 3);
    Span positions = Matrices.random((long) tokens * width, 4);
    Span pooled = Matrices.zeros((long) batch * width);
    int kept = size.rows() / 4;
    Span index = Matrices.integers(kept, size.rows(), 5);
    Span part = out.slice(0, (long) kept * width);
    double bytes = 4.0 * count;
    double whole = Work.traffic(bytes, bytes);
    return switch (kernel) {
      case "assemble" ->
        Work.ofOurs(
            0, whole, set -> set.token().assemble(batch, 1, tokens - 1, width, patches, prefix, positions, out));
      case "assembleGradient" ->
        Work.ofOurs(
            0,
            whole,
            set -> set.token()
                .assembleGradient(batch, 1, tokens - 1, width, all, patches, Sums.into(prefix), Sums.into(positions)));
      case "gather" -> Work.ofOurs(0, whole / 4, set -> set.token().gather(kept, width, all, index, part));
      case "scatterAdd" -> Work.ofOurs(0, whole / 4, set -> set.token().scatterAdd(kept, width, part, index, all));
      case "meanPool" -> Work.ofOurs(0, bytes, set -> set.token().meanPool(batch, tokens, width, 1, all, null, pooled));
      case "meanPoolGradient" ->
        Work.ofOurs(
            0, Work.traffic(0, bytes), set -> set.token().meanPoolGradient(batch, tokens, width, 1, pooled, null, out));
      default -> throw new IllegalArgumentException(kernel);
    };
  }

  /** Class token, patches and positions. */
  @Benchmark
  public void assemble() {
    call();
  }

  @Benchmark
  public void assembleGradient() {
    call();
  }

  /** A quarter of the tokens, as in masked training. */
  @Benchmark
  public void gather() {
    call();
  }

  /** The gradient of that. */
  @Benchmark
  public void scatterAdd() {
    call();
  }

  @Benchmark
  public void meanPool() {
    call();
  }

  @Benchmark
  public void meanPoolGradient() {
    call();
  }
}
