package dev.fovea.vit.data;

import java.util.ArrayDeque;
import java.util.Queue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

/** Makes the next batches while the present one is computed with: a few ahead, in order. */
public final class Prefetch implements AutoCloseable {
  private final Batches batches;
  private final long end;
  private final ExecutorService threads;
  private final Queue<Future<Batch>> ahead = new ArrayDeque<>();
  private final int depth;
  private long next;

  /**
   * Starts with step {@code first}.
   *
   * @param end the step after the last
   * @param threads that read and augment, at least 1; so many batches and one more are held
   */
  public Prefetch(Batches batches, long first, long end, int threads) {
    this.batches = batches;
    this.end = end;
    this.next = first;
    this.depth = threads + 1;
    this.threads = Executors.newFixedThreadPool(
        threads, Thread.ofPlatform().name("fovea-data-", 0).daemon().factory());
    fill();
  }

  private void fill() {
    while (ahead.size() < depth && next < end) {
      long step = next++;
      ahead.add(threads.submit(() -> batches.batch(step)));
    }
  }

  /**
   * The next step's batch.
   *
   * @throws IllegalStateException after the last step, or if this thread is interrupted
   */
  public Batch take() {
    Future<Batch> first = ahead.poll();
    if (first == null) {
      throw new IllegalStateException("there is no further batch");
    }
    try {
      Batch batch = first.get();
      fill();
      return batch;
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException failure) {
        throw failure;
      }
      throw new IllegalStateException("a batch could not be made: " + e.getCause(), e.getCause());
    } catch (InterruptedException | CancellationException e) {
      Thread.currentThread().interrupt();
      throw new IllegalStateException("interrupted while waiting for a batch", e);
    }
  }

  @Override
  public void close() {
    threads.shutdownNow();
  }
}
