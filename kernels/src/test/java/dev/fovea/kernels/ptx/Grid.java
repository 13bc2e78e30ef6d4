package dev.fovea.kernels.ptx;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** Runs the blocks of a launch on a few Java threads. */
final class Grid {
  private final Kernel kernel;
  private final Block.Launch launch;

  /** Of this run: a recorded launch runs often, and each time any block may be the last. */
  private final @Nullable GlobalOrder order;

  private final AtomicLong next = new AtomicLong();
  private final AtomicLong executed = new AtomicLong();
  private final AtomicBoolean failed = new AtomicBoolean();

  private Grid(Kernel kernel, Block.Launch launch) {
    this.kernel = kernel;
    this.launch = launch;
    order = GlobalOrder.of(launch.blocks(), launch.checks());
  }

  /** Runs all blocks; gives the number of instructions executed, counted per thread. */
  static long run(Kernel kernel, Block.Launch launch, ExecutorService pool, int threads) {
    check(kernel, launch);
    Grid grid = new Grid(kernel, launch);
    List<Future<?>> helpers = new ArrayList<>();
    for (long i = 1; i < Math.min(threads, launch.blocks()); i++) {
      helpers.add(pool.submit(grid::work));
    }
    PtxException failure = null;
    try {
      grid.work();
    } catch (PtxException e) {
      failure = e;
    }
    for (Future<?> helper : helpers) {
      try {
        helper.get();
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new PtxException("interrupted");
      } catch (ExecutionException e) {
        if (!(e.getCause() instanceof PtxException ptx)) {
          throw new IllegalStateException(e.getCause());
        }
        failure = failure == null ? ptx : failure;
      }
    }
    if (failure != null) {
      throw failure;
    }
    return grid.executed.get();
  }

  private static void check(Kernel kernel, Block.Launch launch) {
    int threads = launch.threads();
    if (threads < 1 || threads > 1024 || launch.blocks() < 1) {
      throw new PtxException(
          "kernel " + kernel.name + " cannot run in " + launch.blocks() + " blocks of " + threads + " threads");
    }
    if (kernel.maxThreads > 0 && threads > kernel.maxThreads) {
      throw new PtxException("kernel " + kernel.name + " is built for blocks of " + kernel.maxThreads
          + " threads at most, not " + threads);
    }
    if (launch.parameters().length * 4 < kernel.parameterBytes) {
      throw new PtxException("kernel " + kernel.name + " takes " + kernel.parameterBytes + " bytes of arguments, got "
          + launch.parameters().length * 4);
    }
  }

  private void work() {
    Block block = new Block(kernel, launch, order);
    try {
      while (!failed.get()) {
        long number = next.getAndIncrement();
        if (number >= launch.blocks()) {
          return;
        }
        executed.addAndGet(block.run(number));
      }
    } catch (PtxException e) {
      failed.set(true);
      throw e;
    }
  }
}
