package dev.fovea.tensor;

import dev.fovea.kernels.cuda.Driver;
import java.lang.foreign.MemorySegment;
import java.util.ArrayDeque;
import java.util.HashMap;
import java.util.Map;

/**
 * Copies between a GPU and pinned memory of the host, on a stream of their own: the GPU computes meanwhile. Pinned
 * memory that is given back is kept for the next that needs about as much. Safe to use from several threads.
 */
final class CudaCopies {
  private final Driver driver;
  private final long computing;
  private final long stream;

  // Guarded by this.
  private final Map<Long, ArrayDeque<MemorySegment>> cache = new HashMap<>();
  private final ArrayDeque<Long> events = new ArrayDeque<>();

  CudaCopies(Driver driver, long computing) {
    this.driver = driver;
    this.computing = computing;
    stream = driver.createStream();
  }

  /** Pinned memory of at least so many bytes. What is in it is undefined, and copies may still be reading it. */
  synchronized MemorySegment pin(long bytes) {
    long capacity = Block.capacity(bytes);
    ArrayDeque<MemorySegment> kept = cache.get(capacity);
    return kept == null || kept.isEmpty() ? driver.allocatePinned(capacity) : kept.pop();
  }

  /** Gives pinned memory back; copies that are queued already may still use it. */
  synchronized void unpin(MemorySegment pinned) {
    cache.computeIfAbsent(pinned.byteSize(), capacity -> new ArrayDeque<>()).push(pinned);
  }

  /**
   * Copies to the host what has been computed once everything queued so far is done.
   *
   * @return the event of the copy's end, for {@link #join} or {@link #finish}
   */
  long toHost(long from, long bytes, MemorySegment pinned) {
    long event = event();
    driver.record(event, computing);
    driver.await(stream, event);
    driver.copyToHost(pinned.asSlice(0, bytes), from, stream);
    driver.record(event, stream);
    return event;
  }

  /**
   * Copies to the GPU, into memory that is free once everything queued so far is done; as {@link #toHost} otherwise.
   */
  long toDevice(MemorySegment pinned, long bytes, long to) {
    long free = mark();
    long event = toDevice(pinned, bytes, to, free);
    forget(free);
    return event;
  }

  /** As {@link #toDevice(MemorySegment, long, long)}, into memory that is free after {@code free}. */
  long toDevice(MemorySegment pinned, long bytes, long to, long free) {
    long event = event();
    driver.await(stream, free);
    driver.copyToDevice(to, pinned.asSlice(0, bytes), stream);
    driver.record(event, stream);
    return event;
  }

  /** Copies to the host in the order of the computations; as {@link #toHost} otherwise. */
  long read(long from, long bytes, MemorySegment pinned) {
    driver.copyToHost(pinned.asSlice(0, bytes), from, computing);
    return mark();
  }

  /** The event of everything queued so far being done. */
  long mark() {
    long event = event();
    driver.record(event, computing);
    return event;
  }

  /** Has what is queued from now on wait for an event. */
  void await(long event) {
    driver.await(computing, event);
  }

  /** As {@link #await}; the event is given up. */
  void join(long event) {
    await(event);
    forget(event);
  }

  /** Waits here for an event, which is given up. */
  void finish(long event) {
    driver.synchronizeEvent(event);
    forget(event);
  }

  private synchronized long event() {
    return events.isEmpty() ? driver.createEvent() : events.pop();
  }

  /** Gives an event up. What waits for it already goes on waiting for what it was recorded for. */
  synchronized void forget(long event) {
    events.push(event);
  }

  /** Waits for all copies, and gives pinned memory and stream back. */
  synchronized void close() {
    driver.synchronize(stream);
    cache.values().forEach(pinned -> pinned.forEach(driver::freePinned));
    cache.clear();
    events.forEach(driver::destroyEvent);
    events.clear();
    driver.destroyStream(stream);
  }
}
