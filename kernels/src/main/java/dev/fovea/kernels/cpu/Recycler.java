package dev.fovea.kernels.cpu;

import java.util.concurrent.atomic.AtomicReferenceArray;
import java.util.function.Supplier;

/**
 * Launch objects that are used again, so that calling a kernel leaves no garbage. Safe for any number of threads: an
 * object is out of the recycler while it is in use, and one more is made when none is free.
 */
final class Recycler<T> {
  private static final int SIZE = 16;

  private final AtomicReferenceArray<T> free = new AtomicReferenceArray<>(SIZE);
  private final Supplier<T> make;

  Recycler(Supplier<T> make) {
    this.make = make;
  }

  T take() {
    int start = slot();
    for (int i = 0; i < SIZE; i++) {
      int at = (start + i) % SIZE;
      T item = free.get(at);
      if (item != null && free.compareAndSet(at, item, null)) {
        return item;
      }
    }
    return make.get();
  }

  void give(T item) {
    int start = slot();
    for (int i = 0; i < SIZE; i++) {
      if (free.compareAndSet((start + i) % SIZE, null, item)) {
        return;
      }
    }
  }

  private static int slot() {
    return (int) (Thread.currentThread().threadId() % SIZE);
  }
}
