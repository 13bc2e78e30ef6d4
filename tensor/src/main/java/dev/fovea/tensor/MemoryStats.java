package dev.fovea.tensor;

import java.util.Comparator;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * A device's memory counters, live: every call reads the present value. Memory that was wrapped is the caller's and not
 * counted. Safe to use from several threads.
 */
public final class MemoryStats {
  private final MemoryPool pool;

  MemoryStats(MemoryPool pool) {
    this.pool = pool;
  }

  /** Bytes in use. */
  public long current() {
    pool.reportLeaks();
    return pool.current();
  }

  /** Most bytes in use at once since the device was made or {@link #resetPeak} was called. */
  public long peak() {
    return pool.peak();
  }

  /** As {@link #peak}, with sizes rounded up to those of blocks: what a limit is held against. */
  public long peakBlocks() {
    return pool.peakUsed();
  }

  /** Measures the peaks anew, from what is in use now. */
  public void resetPeak() {
    pool.resetPeak();
  }

  /** Bytes taken from the system: those in use, rounded up to the sizes of blocks, and those cached for reuse. */
  public long reserved() {
    return pool.reserved();
  }

  /** Most bytes that may be in use, {@link Long#MAX_VALUE} without limit. */
  public long limit() {
    return pool.limit();
  }

  /**
   * Sets the limit, of what is allocated from now on.
   *
   * @param bytes {@link Long#MAX_VALUE} for none
   */
  public void limit(long bytes) {
    Check.notNegative("limit", bytes);
    pool.limit(bytes);
  }

  /** Bytes in use by the label they were allocated under, most first. */
  public Map<String, Long> byLabel() {
    return pool.byLabel();
  }

  /** Gives what is cached back to the system. */
  public void trim() {
    pool.reportLeaks();
    pool.evict(0);
    pool.raw().trim();
  }

  /** What is in use, largest first, one line for each, with where it was made as far as that was recorded. */
  public String inUse() {
    return pool.live().stream()
        .sorted(Comparator.comparingLong(Allocation::bytes).reversed())
        .map(one -> Check.text("%,d bytes (%s), made %s\n", one.bytes(), one.label(), Origin.site(one.origin())))
        .collect(Collectors.joining());
  }

  @Override
  public String toString() {
    return Check.text("%,d bytes in use, %,d at the peak, %,d reserved; %s", current(), peak(), reserved(), byLabel());
  }
}
