package dev.fovea.kernels.cpu;

import dev.fovea.kernels.Attention;
import dev.fovea.kernels.AttentionKernels;
import dev.fovea.kernels.Span;
import dev.fovea.kernels.cpu.simd.Simd;
import org.jspecify.annotations.Nullable;

/**
 * Attention on the CPU. Blocks are heads of images, and in the forward pass parts of the queries of a head; workspace
 * is a thread's own and, apart from the query gradients of the head at hand, does not grow with the number of tokens.
 */
final class CpuAttention implements AttentionKernels {
  private final WorkerPool pool;
  private final Recycler<AttentionLaunch> forward;
  private final Recycler<AttentionLaunch> backward;
  private final Recycler<AttentionLaunch> map;

  CpuAttention(WorkerPool pool, Simd simd) {
    this.pool = pool;
    forward = new Recycler<>(() -> new AttentionLaunch(() -> new AttentionForward(simd)));
    backward = new Recycler<>(() -> new AttentionLaunch(() -> new AttentionBackward(simd)));
    map = new Recycler<>(() -> new AttentionLaunch(() -> new AttentionMap(simd)));
  }

  @Override
  public void forward(Attention call) {
    run(forward, call, null);
  }

  @Override
  public void backward(Attention call) {
    run(backward, call, null);
  }

  @Override
  public void weights(Attention call, Span p) {
    run(map, call, p);
  }

  private void run(Recycler<AttentionLaunch> launches, Attention call, @Nullable Span weights) {
    AttentionLaunch launch = launches.take();
    launch.run(pool, call, weights);
    launches.give(launch);
  }
}
