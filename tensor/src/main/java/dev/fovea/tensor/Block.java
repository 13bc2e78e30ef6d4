package dev.fovea.tensor;

/**
 * A piece of device memory, reused as a whole. Its capacity is one of few per power of two, so that pieces fit again.
 */
final class Block {
  private static final long SMALLEST = 64;

  final long address;
  final long capacity;

  /** When it was last given back: those of long ago leave the cache first. */
  long stamp;

  Block(long address, long capacity) {
    this.address = address;
    this.capacity = capacity;
  }

  /** The capacity that holds so many bytes: at most a sixteenth more, a multiple of 64; or the largest long. */
  static long capacity(long bytes) {
    if (bytes <= SMALLEST) {
      return SMALLEST;
    }
    long step = Math.max(SMALLEST, Long.highestOneBit(bytes - 1) >> 4);
    return bytes > Long.MAX_VALUE - step ? Long.MAX_VALUE : (bytes + step - 1) / step * step;
  }
}
