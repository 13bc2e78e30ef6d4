package dev.fovea.tensor;

import java.lang.ref.PhantomReference;
import java.lang.ref.ReferenceQueue;
import org.jspecify.annotations.Nullable;

/**
 * What a pool knows about one {@link Memory}. It outlives the memory object, so that bytes whose owner became
 * unreachable can be reported and given back.
 */
final class Allocation extends PhantomReference<Memory> {
  private final MemoryPool pool;
  private final Block block;
  private final long bytes;
  private final String label;
  private final @Nullable Origin origin;

  Allocation(Memory memory, ReferenceQueue<Memory> queue, MemoryPool pool, Block block, Request request) {
    super(memory, queue);
    this.pool = pool;
    this.block = block;
    this.bytes = request.bytes;
    this.label = request.label;
    this.origin = request.origin;
  }

  /** What was asked for, by whom. */
  record Request(long bytes, String label, @Nullable Origin origin) {}

  MemoryPool pool() {
    return pool;
  }

  Block block() {
    return block;
  }

  long bytes() {
    return bytes;
  }

  String label() {
    return label;
  }

  @Nullable
  Origin origin() {
    return origin;
  }
}
