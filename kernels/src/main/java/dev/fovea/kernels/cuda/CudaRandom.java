package dev.fovea.kernels.cuda;

import dev.fovea.kernels.RandomKernels;
import dev.fovea.kernels.Span;

/** Random numbers on a GPU: {@code random.cu}. */
final class CudaRandom implements RandomKernels {
  private static final int THREADS = 256;

  // What is made of the words: the kernel's enum.
  private static final int BITS = 0;
  private static final int UNIFORM = 1;
  private static final int NORMAL = 2;
  private static final int KEEP = 3;

  private final CudaQueue queue;
  private final CudaKernel fill;

  CudaRandom(CudaQueue queue) {
    this.queue = queue;
    fill = queue.family("random").kernel("random_fill");
  }

  @Override
  public void bits(Span out, long seed, long step) {
    draw(BITS, out, 0, 0, seed, step);
  }

  @Override
  public void uniform(Span out, float low, float high, long seed, long step) {
    draw(UNIFORM, out, low, high, seed, step);
  }

  @Override
  public void normal(Span out, float mean, float deviation, long seed, long step) {
    draw(NORMAL, out, mean, deviation, seed, step);
  }

  @Override
  public void keep(Span out, float keep, long seed, long step) {
    draw(KEEP, out, keep, 1 / keep, seed, step);
  }

  private void draw(int kind, Span out, float a, float b, long seed, long step) {
    long count = out.count();
    if (count == 0) {
      return;
    }
    long perBlock = (long) THREADS * CudaOperands.QUAD;
    boolean vectors = out.address() % ((long) CudaOperands.QUAD * out.dtype().bytes()) == 0;
    Launch launch = queue
        .launch()
        .grid((count + perBlock - 1) / perBlock, 1, 1)
        .block(THREADS, 1, 1)
        .pointer(out.address())
        .i64(count)
        .i64(seed)
        .i64(step)
        .i32(CudaOperands.code(out.dtype()))
        .i32(kind)
        .f32(a)
        .f32(b)
        .f32(Math.nextDown(b))
        .i32(vectors ? 1 : 0);
    queue.run(fill, launch);
  }
}
