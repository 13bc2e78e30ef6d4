package dev.fovea.kernels.cpu;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Persistent threads that share the blocks of one grid at a time. Safe to call from any number of threads, virtual ones
 * included.
 *
 * <p>The caller works too, so a pool of one has no thread of its own, and a grid gets done whether a worker comes or
 * not: nobody waits for a thread that has not begun. A caller that finds the pool busy, among them a block that runs a
 * grid itself, runs its blocks alone; results do not depend on it.
 *
 * <p>A worker without work spins for a fifth of a millisecond and then parks. A grid reaches a spinning worker in less
 * than a microsecond, a parked one when the operating system gets to it.
 */
final class WorkerPool implements AutoCloseable {
  private static final long SPIN_NANOS = 200_000;
  private static final int SPINS_PER_LOOK_AT_THE_CLOCK = 64;
  private static final AtomicInteger POOLS = new AtomicInteger();

  private final Worker[] workers;
  private final Recycler<Scratch> callerScratch = new Recycler<>(Scratch::new);
  private final ReentrantLock busy = new ReentrantLock();

  /**
   * Lower half: blocks of the current grid that nobody has claimed yet; upper half: the number of the grid, so that a
   * late claim cannot hit the next one. {@link #grid} and {@link #blocks} are written before it and stay until every
   * claimed block has finished: who claims a block has read the right ones.
   */
  private final AtomicLong unclaimed = new AtomicLong();

  /** Blocks of the current grid that were run or given up. */
  private final AtomicInteger finished = new AtomicInteger();

  private final AtomicInteger parked = new AtomicInteger();
  private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
  private @Nullable Grid grid;
  private int blocks;
  private volatile @Nullable Thread waiter;
  private volatile boolean closed;

  /** @param threads threads that compute, the caller counted in; at least 1 */
  WorkerPool(int threads) {
    if (threads < 1) {
      throw new IllegalArgumentException("threads: got " + threads + ", expected at least 1");
    }
    workers = new Worker[threads - 1];
    int pool = POOLS.incrementAndGet();
    for (int i = 0; i < workers.length; i++) {
      workers[i] = new Worker("fovea-cpu-" + pool + "-" + (i + 1));
    }
    try {
      for (Worker worker : workers) {
        worker.thread.start();
      }
    } catch (Throwable e) { // no more threads to be had
      close();
      throw e;
    }
  }

  int threads() {
    return workers.length + 1;
  }

  /**
   * Runs every block of the grid and returns when all are done. If a block throws, blocks that have not begun are left
   * out, and the first exception is thrown here once the others have ended.
   *
   * @throws IllegalStateException if the pool is closed
   */
  void run(Grid grid, int blocks) {
    if (closed) {
      throw new IllegalStateException("the CPU kernels are closed");
    }
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

  private void share(Grid grid, int blocks, Scratch scratch) {
    this.grid = grid;
    this.blocks = blocks;
    finished.set(0);
    long number = (unclaimed.get() >>> Integer.SIZE) + 1;
    unclaimed.set(number << Integer.SIZE | blocks);
    wake(blocks - 1);
    work(scratch);
    if (finished.get() != blocks) {
      await(blocks);
    }
    this.grid = null;
    Throwable thrown = failure.get();
    if (thrown != null) {
      failure.set(null);
      throw WorkerPool.<RuntimeException>asIs(thrown);
    }
  }

  /** Unparks workers until {@code wanted} of them are up. */
  private void wake(int wanted) {
    int missing = wanted - (workers.length - parked.get());
    for (int i = 0; i < workers.length && missing > 0; i++) {
      if (workers[i].parks) {
        LockSupport.unpark(workers[i].thread);
        missing--;
      }
    }
  }

  /** Runs blocks while there are unclaimed ones. */
  private void work(Scratch scratch) {
    int done = 0;
    for (long seen = unclaimed.get(); (int) seen != 0; seen = unclaimed.get()) {
      Grid grid = this.grid;
      int index = blocks - (int) seen;
      if (grid == null || !unclaimed.compareAndSet(seen, seen - 1)) {
        continue;
      }
      done++;
      try {
        grid.block(index, scratch);
      } catch (Throwable e) {
        done += giveUp(e);
      }
    }
    if (done > 0 && finished.addAndGet(done) == blocks) {
      LockSupport.unpark(waiter);
    }
  }

  /** Keeps the exception if it is the first, and returns how many blocks nobody will run now. */
  private int giveUp(Throwable thrown) {
    failure.compareAndSet(null, thrown);
    return (int) unclaimed.getAndUpdate(seen -> seen >>> Integer.SIZE << Integer.SIZE);
  }

  /** Waits for the blocks that workers are still running. */
  private void await(int blocks) {
    long end = System.nanoTime() + SPIN_NANOS;
    while (System.nanoTime() < end) {
      for (int i = 0; i < SPINS_PER_LOOK_AT_THE_CLOCK; i++) {
        if (finished.get() == blocks) {
          return;
        }
        Thread.onSpinWait();
      }
    }
    waiter = Thread.currentThread();
    while (finished.get() != blocks) {
      LockSupport.park(this);
      if (Thread.currentThread().isInterrupted()) {
        Thread.yield(); // parking does not wait then; whoever interrupted will be told after the grid
      }
    }
    waiter = null;
  }

  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
  private static <E extends Throwable> E asIs(Throwable thrown) throws E {
    throw (E) thrown;
  }

  /** Ends the workers. Grids that run are finished; later ones are refused. Closing again does nothing. */
  @Override
  public void close() {
    closed = true;
    for (Worker worker : workers) {
      LockSupport.unpark(worker.thread);
    }
  }

  private final class Worker {
    private final Thread thread;
    private final Scratch scratch = new Scratch();
    private volatile boolean parks;

    Worker(String name) {
      thread = Thread.ofPlatform()
          .name(name)
          .daemon()
          .inheritInheritableThreadLocals(false)
          .unstarted(this::loop);
      thread.setContextClassLoader(null); // a pool outlives its creator's class loader
    }

    private void loop() {
      while (!closed) {
        work(scratch);
        if (!spin()) {
          sleep();
        }
      }
    }

    /** Whether work came within the time. */
    private boolean spin() {
      long end = System.nanoTime() + SPIN_NANOS;
      do {
        for (int i = 0; i < SPINS_PER_LOOK_AT_THE_CLOCK; i++) {
          if ((int) unclaimed.get() != 0 || closed) {
            return true;
          }
          Thread.onSpinWait();
        }
      } while (System.nanoTime() < end);
      return false;
    }

    private void sleep() {
      parks = true;
      parked.incrementAndGet();
      while ((int) unclaimed.get() == 0 && !closed) {
        LockSupport.park(WorkerPool.this);
        Thread.interrupted(); // left behind by a block, it would keep this thread from parking
      }
      parked.decrementAndGet();
      parks = false;
    }
  }
}
