package dev.fovea.kernels.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
class WorkerPoolTest {
  /** Counts how often each block ran. */
  private static final class Count implements Grid {
    final AtomicIntegerArray runs;

    Count(int blocks) {
      runs = new AtomicIntegerArray(blocks);
    }

    @Override
    public void block(int index, Scratch scratch) {
      runs.incrementAndGet(index);
    }

    void assertEach(int times) {
      for (int i = 0; i < runs.length(); i++) {
        assertEquals(times, runs.get(i), "block " + i + " of " + runs.length());
      }
    }
  }

  /** Two blocks that meet, so that two threads run them; block 0 throws what it was given. */
  private static final class Meeting implements Grid {
    final CyclicBarrier barrier = new CyclicBarrier(2);
    final Set<Thread> threads = ConcurrentHashMap.newKeySet();

    @Override
    public void block(int index, Scratch scratch) {
      threads.add(Thread.currentThread());
      meet(barrier);
    }

    Thread other() {
      return threads.stream()
          .filter(t -> t != Thread.currentThread())
          .findFirst()
          .orElseThrow();
    }
  }

  private static void meet(CyclicBarrier barrier) {
    try {
      barrier.await(20, TimeUnit.SECONDS);
    } catch (Exception e) {
      throw new AssertionError(e);
    }
  }

  private static void usable(WorkerPool pool) {
    Count count = new Count(57);
    pool.run(count, 57);
    count.assertEach(1);
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 5})
  void everyBlockRunsOnce(int threads) {
    try (WorkerPool pool = new WorkerPool(threads)) {
      assertEquals(threads, pool.threads());
      for (int blocks : new int[] {0, 1, 2, 3, 4, 5, 7, 64, 1000}) {
        Count count = new Count(blocks);
        pool.run(count, blocks);
        count.assertEach(1);
        pool.run(count, blocks);
        count.assertEach(2);
      }
    }
  }

  @Test
  void blocksRunAtTheSameTime() {
    try (WorkerPool pool = new WorkerPool(2)) {
      Meeting meeting = new Meeting();
      pool.run(meeting, 2);
      assertEquals(2, meeting.threads.size());
      assertTrue(meeting.threads.contains(Thread.currentThread()));
      assertTrue(meeting.other().isDaemon());
      assertTrue(meeting.other().getName().startsWith("fovea-cpu-"));
    }
  }

  @Test
  void threadsBelowOneAreNamed() {
    IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> new WorkerPool(0));
    assertEquals("threads: got 0, expected at least 1", e.getMessage());
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 4})
  void anExceptionReachesTheCallerAndThePoolGoesOn(int threads) {
    try (WorkerPool pool = new WorkerPool(threads)) {
      for (Throwable thrown : List.of(new IllegalStateException("a"), new StackOverflowError(), new IOException("c"))) {
        for (int bad : new int[] {0, 1, 13, 29}) {
          AtomicInteger running = new AtomicInteger();
          Grid grid = (index, scratch) -> {
            running.incrementAndGet();
            try {
              if (index == bad) {
                throw WorkerPoolTest.<RuntimeException>sneaky(thrown);
              }
            } finally {
              running.decrementAndGet();
            }
          };
          assertSame(thrown, assertThrows(Throwable.class, () -> pool.run(grid, 30)));
          assertEquals(0, running.get());
          usable(pool);
        }
      }
    }
  }

  @SuppressWarnings("unchecked")
  private static <E extends Throwable> E sneaky(Throwable thrown) throws E {
    throw (E) thrown;
  }

  @Test
  void anExceptionWaitsForBlocksThatHaveBegun() {
    try (WorkerPool pool = new WorkerPool(2)) {
      for (int bad = 0; bad < 2; bad++) {
        int which = bad;
        CyclicBarrier barrier = new CyclicBarrier(2);
        AtomicBoolean ended = new AtomicBoolean();
        AtomicInteger begun = new AtomicInteger();
        Grid grid = (index, scratch) -> {
          begun.incrementAndGet();
          meet(barrier);
          if (index == which) {
            throw new ArithmeticException();
          }
          pause(20);
          ended.set(true);
        };
        assertThrows(ArithmeticException.class, () -> pool.run(grid, 2));
        assertTrue(ended.get());
        assertEquals(2, begun.get());
      }
    }
  }

  @Test
  void oneOfSeveralExceptionsIsThrown() {
    try (WorkerPool pool = new WorkerPool(2)) {
      CyclicBarrier barrier = new CyclicBarrier(2);
      Grid grid = (index, scratch) -> {
        meet(barrier);
        throw new ArithmeticException("block " + index);
      };
      assertThrows(ArithmeticException.class, () -> pool.run(grid, 2));
      usable(pool);
    }
  }

  @Test
  void blocksMayRunGrids() {
    try (WorkerPool pool = new WorkerPool(3)) {
      Count inner = new Count(20);
      Grid outer = (index, scratch) -> pool.run(inner, 20);
      pool.run(outer, 50);
      inner.assertEach(50);
    }
  }

  @Test
  void scratchIsNotShared() {
    try (WorkerPool pool = new WorkerPool(2)) {
      CyclicBarrier barrier = new CyclicBarrier(2);
      List<Scratch> seen = new ArrayList<>();
      Grid grid = (index, scratch) -> {
        synchronized (seen) {
          seen.add(scratch);
        }
        meet(barrier);
        pool.run((i, nested) -> assertNotSame(scratch, nested), 3);
        assertSame(scratch.floats(3, 100), scratch.floats(3, 50));
        meet(barrier);
      };
      pool.run(grid, 2);
      assertNotSame(seen.get(0), seen.get(1));
    }
  }

  @Test
  void aBusyPoolLetsOthersWorkAlone() throws Exception {
    try (WorkerPool pool = new WorkerPool(2)) {
      CountDownLatch begun = new CountDownLatch(2);
      CountDownLatch release = new CountDownLatch(1);
      Thread first = Thread.startVirtualThread(() -> pool.run(
          (index, scratch) -> {
            begun.countDown();
            await(release);
          },
          2));
      await(begun);
      usable(pool); // both threads are held by the first grid
      release.countDown();
      first.join();
      usable(pool);
    }
  }

  private static void await(CountDownLatch latch) {
    try {
      assertTrue(latch.await(20, TimeUnit.SECONDS));
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private static void pause(long millis) {
    try {
      Thread.sleep(millis);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void afterCloseItRefuses() {
    for (int threads : new int[] {1, 3}) {
      WorkerPool pool = new WorkerPool(threads);
      usable(pool);
      pool.close();
      pool.close();
      for (int blocks : new int[] {0, 1, 10}) {
        IllegalStateException e =
            assertThrows(IllegalStateException.class, () -> pool.run((index, scratch) -> fail(), blocks));
        assertEquals("the CPU kernels are closed", e.getMessage());
      }
    }
  }

  @Test
  void closingFromOutsideLetsARunningGridFinish() throws Exception {
    WorkerPool pool = new WorkerPool(3);
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch closed = new CountDownLatch(1);
    Count count = new Count(40);
    Thread caller = Thread.ofPlatform()
        .start(() -> pool.run(
            (index, scratch) -> {
              begun.countDown();
              await(closed);
              count.block(index, scratch);
            },
            40));
    await(begun);
    pool.close();
    closed.countDown();
    caller.join();
    count.assertEach(1);
  }

  @Test
  void closingFromABlockLetsTheGridFinish() {
    WorkerPool pool = new WorkerPool(2);
    Count count = new Count(2);
    CyclicBarrier barrier = new CyclicBarrier(2);
    pool.run(
        (index, scratch) -> {
          meet(barrier);
          pool.close();
          count.block(index, scratch);
        },
        2);
    count.assertEach(1);
    assertThrows(IllegalStateException.class, () -> pool.run(count, 2));
  }

  @Test
  void closingEndsTheThreads() throws Exception {
    WorkerPool pool = new WorkerPool(2);
    Meeting meeting = new Meeting();
    pool.run(meeting, 2);
    Thread worker = meeting.other();
    parks(worker);
    pool.close();
    worker.join(20_000);
    assertFalse(worker.isAlive());
  }

  /** Waits until the thread parks: without work it must not keep a processor busy. */
  private static void parks(Thread worker) {
    for (int i = 0; i < 2_000 && worker.getState() != Thread.State.WAITING; i++) {
      pause(5);
    }
    assertEquals(Thread.State.WAITING, worker.getState());
  }

  @Test
  void idleWorkersParkAndComeBack() {
    try (WorkerPool pool = new WorkerPool(2)) {
      for (int i = 0; i < 5; i++) {
        Meeting meeting = new Meeting();
        pool.run(meeting, 2);
        parks(meeting.other());
      }
    }
  }

  @Test
  void anInterruptLeftByABlockDoesNotKeepAWorkerAwake() {
    try (WorkerPool pool = new WorkerPool(2)) {
      CyclicBarrier barrier = new CyclicBarrier(2);
      AtomicReference<Thread> worker = new AtomicReference<>();
      Thread caller = Thread.currentThread();
      pool.run(
          (index, scratch) -> {
            meet(barrier);
            if (Thread.currentThread() != caller) {
              worker.set(Thread.currentThread());
              Thread.currentThread().interrupt();
            }
          },
          2);
      parks(worker.get());
      usable(pool);
    }
  }

  @Test
  void anInterruptedCallerGetsItsGridAndKeepsTheInterrupt() {
    try (WorkerPool pool = new WorkerPool(2)) {
      AtomicInteger begun = new AtomicInteger();
      AtomicInteger ended = new AtomicInteger();
      Thread caller = Thread.currentThread();
      caller.interrupt();
      pool.run(
          (index, scratch) -> {
            begun.incrementAndGet();
            while (begun.get() < 2) {
              Thread.onSpinWait();
            }
            if (Thread.currentThread() != caller) {
              pause(30);
            }
            ended.incrementAndGet();
          },
          2);
      assertTrue(Thread.interrupted());
      assertEquals(2, ended.get());
    }
  }

  @Test
  void manyCallersAtOnce() throws Exception {
    try (WorkerPool pool = new WorkerPool(3);
        ExecutorService platform = Executors.newFixedThreadPool(3);
        ExecutorService virtual = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> callers = new ArrayList<>();
      for (int c = 0; c < 12; c++) {
        int caller = c;
        callers.add((c < 4 ? platform : virtual).submit(() -> {
          for (int run = 0; run < 200; run++) {
            int blocks = 1 + (caller * 31 + run * 7) % 23;
            if (run % 20 == 19) {
              int bad = run % blocks;
              assertThrows(
                  ArithmeticException.class,
                  () -> pool.run(
                      (index, scratch) -> {
                        if (index == bad) {
                          throw new ArithmeticException();
                        }
                      },
                      blocks));
            }
            Count count = new Count(blocks);
            pool.run(count, blocks);
            count.assertEach(1);
            if (run % 50 == 0) {
              Thread.yield();
            }
          }
        }));
      }
      for (Future<?> caller : callers) {
        caller.get(50, TimeUnit.SECONDS);
      }
    }
  }

  /** Grids back to back and with pauses, so that workers are met spinning, falling asleep and parked. */
  @Test
  void stress() {
    try (WorkerPool pool = new WorkerPool(4)) {
      int[] values = new int[8]; // plain memory: what blocks write must be seen by the caller, and the other way round
      Grid grid = (index, scratch) -> values[index] += index + 1;
      long end = System.nanoTime() + 1_500_000_000L;
      int runs = 0;
      int[] expected = new int[8];
      while (System.nanoTime() < end) {
        int blocks = 1 + runs % 8;
        pool.run(grid, blocks);
        for (int i = 0; i < blocks; i++) {
          expected[i] += i + 1;
        }
        runs++;
        for (int i = 0; i < 8; i++) {
          if (values[i] != expected[i]) {
            fail("run " + runs + ", block " + i + ": got " + values[i] + ", expected " + expected[i]);
          }
        }
        if (runs % 1000 == 0) {
          long pause = System.nanoTime() + (runs % 7000 == 0 ? 400_000 : 200_000);
          while (System.nanoTime() < pause) {
            Thread.onSpinWait();
          }
        }
      }
      assertTrue(runs > 100);
    }
  }
}
