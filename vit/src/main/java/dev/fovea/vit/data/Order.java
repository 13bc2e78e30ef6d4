package dev.fovea.vit.data;

/**
 * A random order of {@code size} pictures for each epoch, computed place by place: a Feistel cipher over the next power
 * of four, walked until it lands inside. Needs no memory, so that a run resumes anywhere.
 */
final class Order {
  private static final int ROUNDS = 6;

  private final long size;
  private final long seed;
  private final int halfBits;

  Order(long size, long seed) {
    this.size = size;
    this.seed = seed;
    int bits = 64 - Long.numberOfLeadingZeros(Math.max(1, size - 1));
    halfBits = (bits + 1) / 2;
  }

  /** The picture at a place of the endless sequence of epochs. */
  int at(long place) {
    long key = RandomStream.mix(seed + place / size);
    long at = place % size;
    do {
      at = permute(at, key);
    } while (at >= size);
    return (int) at;
  }

  private long permute(long value, long key) {
    long mask = (1L << halfBits) - 1;
    long left = value >>> halfBits;
    long right = value & mask;
    for (int round = 0; round < ROUNDS; round++) {
      long next = left ^ RandomStream.mix(key + round * 0x632BE59BD9B4E019L ^ right) & mask;
      left = right;
      right = next;
    }
    return left << halfBits | right;
  }
}
