package dev.fovea.tensor;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * Bytes on one device, 64-byte aligned unless they were wrapped.
 *
 * <p>Counted: whoever needs the bytes holds a reference (a tensor handle, a view, the tape of a backward pass), and
 * they go back to the device with the last. Memory from {@link Device#allocate} starts with one reference, which
 * {@link #close} gives up. References may be taken and given up by any thread.
 */
public final class Memory implements AutoCloseable {
  private final Device device;
  private final long bytes;

  private long address;

  /** What fills it once somebody asks for the address; null once that has happened. */
  private @Nullable Promise promise;

  /** What a kept promise allocated; given back with the last reference to this. */
  private @Nullable Memory real;

  /** What to give back, and to whom; null for memory of the caller's. */
  private final @Nullable Allocation allocation;

  /** The caller's memory, kept reachable; null for our own. */
  private final @Nullable MemorySegment wrapped;

  private final AtomicInteger references = new AtomicInteger(1);
  private final AtomicBoolean closed = new AtomicBoolean();

  /** The lifetime of {@link #segment}; ended before the bytes are given back. */
  private @Nullable Arena views;

  private @Nullable MemorySegment view;

  private record Promise(String label, Runnable fill) {}

  Memory(Device device, MemoryPool pool, Block block, Allocation.Request request) {
    this.device = device;
    this.address = block.address;
    this.bytes = request.bytes();
    this.wrapped = null;
    this.allocation = pool.watch(this, block, request);
  }

  private Memory(Device device, MemorySegment segment) {
    this.device = device;
    this.address = segment.address();
    this.bytes = segment.byteSize();
    this.allocation = null;
    this.wrapped = segment;
  }

  private Memory(Device device, long bytes, Promise promise) {
    this.device = device;
    this.bytes = bytes;
    this.allocation = null;
    this.wrapped = null;
    this.promise = promise;
  }

  /**
   * Memory that is allocated, and filled by {@code fill}, when its address is first asked for: never, if nobody asks.
   * Confined to one thread until then.
   */
  static Memory promised(Device device, long bytes, String label, Runnable fill) {
    return new Memory(device, bytes, new Promise(label, fill));
  }

  private void keep(Promise promise) {
    this.promise = null;
    real = MemoryPool.of(device).allocate(bytes, promise.label, false, Origin.sampled());
    address = real.address;
    promise.fill.run();
  }

  /** The caller's memory, neither counted nor freed. */
  static Memory wrap(Device device, MemorySegment segment) {
    return new Memory(device, segment);
  }

  /** Where it lies. */
  public Device device() {
    return device;
  }

  /** The first byte. Valid while a reference is held. */
  public long address() {
    if (promise != null) {
      keep(promise);
    }
    return address;
  }

  /** Length. */
  public long bytes() {
    return bytes;
  }

  /**
   * Gives up the reference of whoever allocated this.
   *
   * @throws IllegalStateException if that was done before
   */
  @Override
  public void close() {
    if (closed.getAndSet(true)) {
      throw new IllegalStateException(Check.text("memory of %d bytes closed twice", bytes));
    }
    release();
  }

  /** One more reference. */
  void retain() {
    if (tryRetain()) {
      return;
    }
    throw new IllegalStateException(Check.text("memory of %d bytes used after it was freed", bytes));
  }

  /** One more reference, unless it was freed. */
  boolean tryRetain() {
    for (int now = references.get(); now > 0; now = references.get()) {
      if (references.compareAndSet(now, now + 1)) {
        return true;
      }
    }
    return false;
  }

  /** One reference less; frees with the last. */
  void release() {
    int left = references.decrementAndGet();
    if (left < 0) {
      throw new IllegalStateException(Check.text("memory of %d bytes released more often than retained", bytes));
    }
    if (left == 0) {
      endViews();
      if (allocation != null) {
        allocation.clear();
        allocation.pool().free(allocation);
      }
      if (real != null) {
        real.release();
      }
    }
  }

  /** Whether nobody else holds a reference. */
  boolean exclusive() {
    return references.get() == 1 && wrapped == null;
  }

  /** Whether the caller closed the arena of memory that was wrapped. */
  boolean isGone() {
    return wrapped != null && !wrapped.scope().isAlive();
  }

  boolean isReadOnly() {
    return wrapped != null && wrapped.isReadOnly();
  }

  /** All bytes, accessible until they are freed. */
  @SuppressWarnings("restricted")
  synchronized MemorySegment segment() {
    if (!(device instanceof CpuDevice)) {
      throw new IllegalStateException(Check.text(
          "segment: got memory on %s, expected memory on the CPU; copy with to(Device.cpu()) or copyTo",
          device.name()));
    }
    if (wrapped != null) {
      return wrapped;
    }
    if (view == null) {
      retain(); // throws when freed, and keeps them until the view stands
      try {
        long at = address();
        views = Arena.ofShared();
        // The clean-up action also keeps this memory reachable for as long as the segment is.
        view = MemorySegment.ofAddress(at).reinterpret(bytes, views, ended -> view = null);
      } finally {
        release();
      }
    }
    return view;
  }

  /** Fails, and leaves the bytes alone, while another thread is inside an access to the segment. */
  private synchronized void endViews() {
    if (views != null) {
      try {
        views.close();
      } catch (IllegalStateException e) {
        references.incrementAndGet();
        throw e;
      }
    }
  }
}
