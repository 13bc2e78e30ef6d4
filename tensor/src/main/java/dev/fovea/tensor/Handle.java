package dev.fovea.tensor;

import org.jspecify.annotations.Nullable;

/**
 * One reference to memory, that a scope or the caller gives up: the lifetime of a {@link Tensor}.
 *
 * <pre>{@code
 *         made in a scope            without one
 *               |                         |
 *               v      moveTo(null)       v
 * owned by a scope  ----------------->  owned by the caller
 *      |  ^   |     <-----------------    |
 *      +--+   |       moveTo(scope)       |
 * moveTo      | close, scope's close      | close
 *             v                           v
 *           closed (no way back; the reference is given up once)
 * }</pre>
 *
 * Any thread may call any method. Locks are taken in the order handle, scope.
 */
abstract sealed class Handle implements AutoCloseable permits Tensor {
  final Memory memory;
  private final @Nullable Origin origin;

  // Written with this locked.
  private @Nullable Scope owner;
  private volatile boolean closed;

  /** Where its owner's list has it; guarded by the owner. */
  int place;

  /** Takes over one reference to the memory. */
  Handle(Memory memory, @Nullable Origin origin) {
    this.memory = memory;
    this.origin = origin;
  }

  /** The scope that closes it, or null if the caller does. */
  final synchronized @Nullable Scope owner() {
    return owner;
  }

  /** Changes who closes it; null for the caller. */
  final synchronized void moveTo(@Nullable Scope scope) {
    checkUsable();
    if (owner != null) {
      owner.remove(this);
      owner = null;
    }
    if (scope != null) {
      scope.add(this);
      owner = scope;
    }
  }

  /**
   * Gives up this handle before its scope does.
   *
   * @throws IllegalStateException if it is closed
   */
  @Override
  public void close() {
    synchronized (this) {
      if (closed) {
        throw Check.state("tensor closed twice", "made", origin);
      }
      closed = true;
      if (owner != null) {
        owner.remove(this);
        owner = null;
      }
    }
    memory.release();
  }

  /** Closes it unless it left the scope in the meantime. */
  final void closeBy(Scope scope) {
    synchronized (this) {
      if (closed || owner != scope) {
        return;
      }
      closed = true;
      owner = null;
    }
    memory.release();
  }

  final boolean isClosed() {
    return closed;
  }

  /** Throws unless the memory may be read. */
  final void checkUsable() {
    if (closed) {
      throw Check.state("tensor used after close", "made", origin);
    }
    if (memory.isGone()) {
      throw Check.state("tensor used after the memory it wraps was closed", "made", origin);
    }
  }

  /** Throws unless the memory may be written. */
  final void checkWritable() {
    checkUsable();
    if (memory.isReadOnly()) {
      throw Check.state("a read-only tensor is written to", "made", origin);
    }
  }
}
