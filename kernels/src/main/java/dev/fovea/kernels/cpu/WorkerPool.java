package dev.fovea.kernels.cpu;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Persistent threads that run the blocks of one grid at a time. The caller works too, so a pool of one has no thread of
 * its own. A caller that finds the pool busy runs its blocks alone: results do not depend on it.
 *
 * <p>Workers spin for a short while after a grid and then park; a handover to a spinning worker costs well under a
 * microsecond.
 */
final class WorkerPool implements AutoCloseable {
  private static final int SPINS = 20_000;

  private final Worker[] workers;
  private final Recycler<Scratch> callerScratch = new Recycler<>(Scratch::new);
  private final ReentrantLock busy = new ReentrantLock();
  private final AtomicInteger next = new AtomicInteger();
  private final AtomicInteger running = new AtomicInteger();

  private volatile int generation;
  private volatile boolean closed;
  private @Nullable Grid grid;
  private int blocks;
  private volatile @Nullable Throwable failure;

  /**
   * @param threads threads that compute, the caller counted in; at least 1
   */
  WorkerPool(int threads) {
    if (threads < 1) {
      throw new IllegalArgumentException("threads: got " + threads + ", expected at least 1");
    }
    workers = new Worker[threads - 1];
    for (int i = 0; i < workers.length; i++) {
      workers[i] = new Worker(i);
      workers[i].thread.start();
    }
  }

  int threads() {
    return workers.length + 1;
  }

  /** Runs every block of the grid and returns when all are done; rethrows what a block threw. */
  void run(Grid grid, int blocks) {
    Scratch scratch = callerScratch.take();
    try {
      if (blocks <= 1 || workers.length == 0 || busy.isHeldByCurrentThread() || !busy.tryLock()) {
        for (int i = 0; i < blocks; i++) {
          grid.block(i, scratch);
        }
        return;
      }
      try {
        share(grid, blocks, scratch);
      } finally {
        busy.unlock();
      }
    } finally {
      callerScratch.give(scratch);
    }
  }

  @SuppressWarnings({"NonAtomicVolatileUpdate", "ThreadPriorityCheck"}) // one writer, under the lock; yields after spinning
  private void share(Grid grid, int blocks, Scratch scratch) {
    if (closed) {
      throw new IllegalStateException("the worker pool is closed");
    }
    this.grid = grid;
    this.blocks = blocks;
    failure = null;
    next.set(0);
    int helpers = Math.min(workers.length, blocks - 1);
    running.set(helpers);
    generation++; // publishes grid and blocks
    for (int i = 0; i < helpers; i++) {
      workers[i].wake(generation);
    }
    drain(grid, blocks, scratch);
    for (int spins = 0; running.get() != 0; spins++) {
      if (spins < SPINS) {
        Thread.onSpinWait();
      } else {
        Thread.yield();
      }
    }
    this.grid = null;
    Throwable thrown = failure;
    if (thrown instanceof RuntimeException e) {
      throw e;
    }
    if (thrown instanceof Error e) {
      throw e;
    }
  }

  private void drain(Grid grid, int blocks, Scratch scratch) {
    try {
      for (int i = next.getAndIncrement(); i < blocks; i = next.getAndIncrement()) {
        grid.block(i, scratch);
      }
    } catch (RuntimeException | Error e) {
      failure = e;
      next.set(blocks);
    }
  }

  @Override
  public void close() {
    busy.lock();
    try {
      closed = true;
      for (Worker worker : workers) {
        LockSupport.unpark(worker.thread);
      }
    } finally {
      busy.unlock();
    }
  }

  private final class Worker {
    private final Thread thread;
    private final Scratch scratch = new Scratch();
    private volatile int task;
    private volatile boolean parked;

    Worker(int index) {
      thread = Thread.ofPlatform().name("fovea-cpu-" + (index + 1)).daemon().unstarted(this::loop);
    }

    void wake(int generation) {
      task = generation;
      if (parked) {
        LockSupport.unpark(thread);
      }
    }

    private void loop() {
      int done = 0;
      while (true) {
        for (int spins = 0; task == done && !closed; spins++) {
          if (spins < SPINS) {
            Thread.onSpinWait();
          } else {
            parked = true;
            if (task == done && !closed) {
              LockSupport.park(WorkerPool.this);
            }
            parked = false;
          }
        }
        if (closed && task == done) {
          return;
        }
        done = task;
        Grid work = grid;
        if (work != null) {
          drain(work, blocks, scratch);
        }
        running.decrementAndGet();
      }
    }
  }
}
