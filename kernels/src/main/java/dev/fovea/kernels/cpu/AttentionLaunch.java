package dev.fovea.kernels.cpu;

import static java.util.Objects.requireNonNull;

import dev.fovea.kernels.Attention;
import dev.fovea.kernels.Span;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/** One attention call as a grid: its blocks are a few parts of heads each, several only where heads are tiny. */
final class AttentionLaunch implements Grid {
  /** Multiply-adds that are worth a block of their own: about 20 microseconds. */
  private static final long WORK = 1 << 21;

  private final Recycler<HeadKernel> kernels;
  private @Nullable Attention call;
  private @Nullable Span weights;
  private int parts;
  private int units;
  private int unitsPerBlock;

  AttentionLaunch(Supplier<HeadKernel> kernel) {
    kernels = new Recycler<>(kernel);
  }

  void run(WorkerPool pool, Attention call, @Nullable Span weights) {
    this.call = call;
    this.weights = weights;
    HeadKernel kernel = kernels.take();
    parts = kernel.parts(call);
    kernels.give(kernel);
    units = Math.multiplyExact(Math.multiplyExact(call.batch, call.heads), parts);
    long work = 2L * call.queries * call.keys * call.headDim / parts;
    unitsPerBlock = Math.clamp(WORK / work, 1, units);
    pool.run(this, Math.ceilDiv(units, unitsPerBlock));
    this.call = null;
    this.weights = null;
  }

  @Override
  public void block(int index, Scratch scratch) {
    Attention call = requireNonNull(this.call);
    HeadKernel kernel = kernels.take();
    int end = Math.min(units, (index + 1) * unitsPerBlock);
    for (int unit = index * unitsPerBlock; unit < end; unit++) {
      int head = unit / parts;
      kernel.run(call, weights, head / call.heads, head % call.heads, unit % parts, scratch);
    }
    kernels.give(kernel);
  }
}
